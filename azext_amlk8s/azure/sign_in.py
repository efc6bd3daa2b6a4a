"""The sign-in of az to Microsoft Entra ID: unusable responses are explained, and no redirect of one is followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

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


@contextmanager
def creating_credential() -> Iterator[None]:
    """Have az create its credential. MSAL requests the description of the tenant then, where it does not remember it.

    MSAL creates its session itself, and has no option for the number of redirects that it follows. Raises SignInFailed.
    """
    from requests import sessions

    with _lock, sign_in_errors():
        limit = sessions.DEFAULT_REDIRECT_LIMIT
        sessions.DEFAULT_REDIRECT_LIMIT = 0
        try:
            yield
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
