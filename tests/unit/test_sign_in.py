"""The sign-in of az: no redirect is followed, and unusable responses are explained; why a vault is not reached."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from azure.core.exceptions import ServiceRequestError
from msal.exceptions import MsalError
from requests import Session, TooManyRedirects

from azext_amlk8s.azure.key_vault import VaultItem
from azext_amlk8s.azure.sign_in import SignInFailed, create_credential
from azext_amlk8s.operations.vault_refusals import explain_refusal

FE = VaultItem("https://store-kv.vault.azure.net", "certificates", "fe")


def failing(error: Exception) -> Callable[[], None]:
    """A function that raises the error."""

    def create() -> None:
        raise error

    return create


def test_sessions_of_the_credential_follow_no_redirects() -> None:
    before = Session().max_redirects
    assert create_credential(lambda: Session().max_redirects) == 0
    with pytest.raises(OSError, match="no network"):
        create_credential(failing(OSError("no network")))
    assert Session().max_redirects == before > 0


@pytest.mark.parametrize("error", [ValueError("<html>"), KeyError("authorization_endpoint"), MsalError("500")])
def test_an_unusable_response_is_explained(error: Exception) -> None:
    with pytest.raises(SignInFailed, match="unexpected response to the sign-in"):
        create_credential(failing(error))


def test_a_redirect_is_explained() -> None:
    with pytest.raises(SignInFailed, match="redirects to another address"):
        create_credential(failing(TooManyRedirects()))


def test_an_unknown_host_may_be_a_vault_that_was_deleted() -> None:
    unknown = ServiceRequestError("failed", error=socket.gaierror(-2, "Name or service not known"))
    refusal = explain_refusal(unknown, FE)
    assert "Cannot reach key vault 'store-kv'" in refusal.reason and "deleted" in refusal.reason
    assert refusal.fix.startswith("az keyvault list-deleted")


def test_a_certificate_that_cannot_be_verified_is_named() -> None:
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate (_ssl.c)"
    refusal = explain_refusal(ServiceRequestError(text), FE)
    assert (
        refusal.reason
        == "Cannot verify the certificate of key vault 'store-kv': unable to get local issuer certificate"
    )
    assert "REQUESTS_CA_BUNDLE" in refusal.fix
