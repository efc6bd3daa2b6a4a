"""The sign-in of az to Microsoft Entra ID: unusable responses are explained, and no redirect of one is followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from azext_amlk8s.azure.retry_policy import attempt

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

T = TypeVar("T")
_lock = Lock()


class SignInFailed(Exception):
    """Microsoft Entra ID returned neither a token nor one of its documented errors."""


@contextmanager
def sign_in_errors() -> Iterator[None]:
    """Raise SignInFailed where a response to the sign-in, or the description of the tenant, cannot be used."""
    from msal.exceptions import MsalError
    from requests import TooManyRedirects

    try:
        yield
    except TooManyRedirects as error:
        raise SignInFailed(
            "The response to the sign-in redirects to another address. Nothing was sent there."
        ) from error
    except (ValueError, LookupError, MsalError) as error:  # the response is not JSON, or lacks what MSAL needs
        raise SignInFailed(
            "Microsoft Entra ID returned an unexpected response to the sign-in: a web page, or an error instead of "
            "a token."
        ) from error


def create_credential(create: Callable[[], T]) -> T:
    """What a function of az returns that creates its credential.

    MSAL requests the description of the tenant then, where it does not remember it. Raises SignInFailed,
    TimeLimitExceeded, and ServiceResponseTimeoutError where that takes too long.
    """
    created: T = attempt(_create_without_redirects, create)
    return created


def _create_without_redirects(create: Callable[[], T]) -> T:
    """MSAL creates its session itself, and has no option for the number of redirects that it follows."""
    from requests import sessions

    with _lock, sign_in_errors():
        limit = sessions.DEFAULT_REDIRECT_LIMIT
        sessions.DEFAULT_REDIRECT_LIMIT = 0
        try:
            return create()
        finally:
            sessions.DEFAULT_REDIRECT_LIMIT = limit


def follow_no_redirects(credential: TokenCredential) -> None:
    """Have the sign-in follow no redirect, with which MSAL would send the secret of its request to any host.

    az and MSAL have no option for it; a credential of another form stays as it is.
    """
    from requests import Session

    msal_credential = getattr(credential, "_credential", credential)
    application = getattr(msal_credential, "_msal_app", msal_credential)
    session = getattr(getattr(application, "http_client", None), "http_client", None)
    if isinstance(session, Session):
        session.max_redirects = 0
