"""The sandbox's Key Vault: challenge, audience, versions, certificates and errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.contract.in_process import GROUP, InProcess, Response, sandbox

STORE, CLOSED, PRIVATE, ROLES = (
    f"https://{name}.vault.sandbox.invalid" for name in ("store", "closed", "private", "roles")
)
QUERY = "api-version=7.4"
AUDIENCE = "https://vault.sandbox.invalid"
VAULTS = [
    {
        "name": "store",
        "group": "ml-rg",
        "tags": {"team": "edge"},
        "secrets": {"relay": "text"},
        "certificates": [
            {"name": "fe", "cname": "fe.contoso.com", "versions": 2},
            {"name": "old", "cname": "fe.contoso.com", "format": "pkcs12", "days": -3},
            {"name": "sealed", "cname": "fe.contoso.com", "exportable": False},
            {"name": "off", "cname": "fe.contoso.com", "enabled": False},
        ],
    },
    {"name": "closed", "group": "ml-rg", "rbac": False, "denied": ["secrets/get"], "secrets": {"a": "b"}},
    {"name": "roles", "group": "ml-rg", "denied": ["secrets/get", "certificates/list"], "secrets": {"a": "b"}},
    {"name": "private", "group": "ml-rg", "public_network_access": False},
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: Any) -> Iterator[InProcess]:
    with sandbox(tmp_path_factory.mktemp("vaults"), vaults=VAULTS) as started:
        yield started


def token(audience: str = AUDIENCE) -> str:
    """A token of the sandbox for an audience."""
    claims = {"aud": audience, "appid": "me", "oid": "it", "iss": "sts"}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.x"


def get(running: InProcess, url: str, **more: Any) -> Response:
    return running.vault("GET", f"{url}?{QUERY}", token(), **more)


def test_a_request_without_a_token_gets_the_challenge(running: InProcess) -> None:
    reply = running.vault("GET", f"{STORE}/secrets/relay?{QUERY}")
    assert (reply.status, reply.body["error"]["code"]) == (401, "Unauthorized")
    tenant = "11111111-aaaa-4bbb-8ccc-222222222222"
    assert reply.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{running.azure}/{tenant}", resource="{AUDIENCE}"'
    )


def test_tokens_are_for_one_service_alone(running: InProcess) -> None:
    reply = running.vault("GET", f"{STORE}/secrets/relay?{QUERY}", token(f"{running.azure}/"))
    assert reply.status == 401
    assert "AKV10022: Invalid audience" in reply.body["error"]["message"]
    running.token = token()
    arm = running.arm("GET", GROUP.removesuffix("/providers"))
    running.token = running.new_token()
    assert (arm.status, arm.body["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


def test_secrets_have_versions(running: InProcess) -> None:
    first = get(running, f"{STORE}/secrets/relay").body
    body = {"value": "next", "contentType": "text/plain", "tags": {"a": "b"}, "attributes": {"exp": 4102444800}}
    second = running.vault("PUT", f"{STORE}/secrets/relay?{QUERY}", token(), body).body
    assert (first["value"], second["value"], second["attributes"]["exp"]) == ("text", "next", 4102444800)
    assert get(running, f"{STORE}/secrets/Relay").body == second
    assert get(running, first["id"]).body == first
    listed = get(running, f"{STORE}/secrets/relay/versions").body["value"]
    assert [item["id"] for item in listed] == [first["id"], second["id"]]
    assert not any("value" in item for item in listed)


def test_lists_have_pages_and_no_values(running: InProcess) -> None:
    url, found = f"{STORE}/secrets?{QUERY}&maxresults=2", []
    while url:
        page = running.vault("GET", url, token()).body
        assert len(page["value"]) <= 2
        found += page["value"]
        url = page["nextLink"]
    assert {item["id"].rsplit("/", 1)[1]: item.get("managed") for item in found} == {
        "relay": None,
        "fe": True,
        "old": True,
        "sealed": True,
        "off": True,
    }


def test_a_certificate_and_the_secret_behind_it(running: InProcess) -> None:
    bundle = get(running, f"{STORE}/certificates/fe").body
    certificate = x509.load_der_x509_certificate(base64.b64decode(bundle["cer"]))
    secret = get(running, bundle["sid"]).body
    assert secret["contentType"] == bundle["policy"]["secret_props"]["contentType"] == "application/x-pem-file"
    key = serialization.load_pem_private_key(secret["value"].encode(), None)
    assert key.public_key() == certificate.public_key()
    assert certificate.subject.rfc4514_string() == "CN=fe.contoso.com"
    assert bundle["attributes"]["exp"] == int(certificate.not_valid_after_utc.timestamp())
    assert len(get(running, f"{STORE}/certificates/fe/versions").body["value"]) == 2


def test_forms_of_certificates(running: InProcess) -> None:
    old = get(running, f"{STORE}/secrets/old").body
    key, certificate, _ = pkcs12.load_key_and_certificates(base64.b64decode(old["value"]), None)
    assert key and certificate and old["contentType"] == "application/x-pkcs12"
    assert old["attributes"]["exp"] < old["attributes"]["created"]
    assert "PRIVATE KEY" not in get(running, f"{STORE}/secrets/sealed").body["value"]
    off = get(running, f"{STORE}/secrets/off")
    assert (off.status, off.body["error"]["innererror"]["code"]) == (403, "SecretDisabled")


@pytest.mark.parametrize("source", ["fe", "old"])
def test_certificates_are_imported(running: InProcess, source: str) -> None:
    value = get(running, f"{STORE}/secrets/{source}").body["value"]
    url = f"{STORE}/certificates/new-{source}/import?{QUERY}"
    imported = running.vault("POST", url, token(), {"value": value})
    assert (imported.status, imported.body["x5t"]) == (200, get(running, f"{STORE}/certificates/{source}").body["x5t"])
    broken = running.vault("POST", url, token(), {"value": "?"})
    assert (broken.status, broken.body["error"]["code"]) == (400, "BadParameter")


@pytest.mark.parametrize(
    ("url", "status", "code", "inner"),
    [
        (f"{STORE}/secrets/absent", 404, "SecretNotFound", None),
        (f"{STORE}/secrets/relay/0123", 404, "SecretNotFound", None),
        (f"{STORE}/certificates/absent", 404, "CertificateNotFound", None),
        (f"{STORE}/certificates/absent/versions", 404, "CertificateNotFound", None),
        (f"{STORE}/keys/fe", 400, "BadParameter", None),
        (f"{CLOSED}/secrets/a", 403, "Forbidden", "AccessDenied"),
        (f"{ROLES}/secrets/a", 403, "Forbidden", "ForbiddenByRbac"),
        (f"{ROLES}/certificates", 403, "Forbidden", "ForbiddenByRbac"),
        (f"{ROLES}/secrets", 200, None, None),
        (f"{PRIVATE}/secrets/a", 403, "Forbidden", "ForbiddenByConnection"),
        ("https://nobody.vault.sandbox.invalid/secrets/a", 400, "BadParameter", None),
    ],
)
def test_errors(running: InProcess, url: str, status: int, code: str | None, inner: str | None) -> None:
    reply = get(running, url)
    error = reply.body.get("error", {})
    found = (reply.status, error.get("code"), error.get("innererror", {}).get("code"))
    assert found == (status, code, inner)


def test_the_proxy_knows_no_other_host(running: InProcess) -> None:
    with pytest.raises(aiohttp.ClientHttpProxyError):
        running.vault("GET", "https://example.com/")


def test_vaults_are_resources(running: InProcess) -> None:
    vault = running.arm("GET", f"{GROUP}/Microsoft.KeyVault/vaults/store").body
    assert (vault["properties"]["vaultUri"], vault["tags"]) == (f"{STORE}/", {"team": "edge"})
    assert running.arm("PATCH", f"{GROUP}/Microsoft.KeyVault/vaults/store", {"tags": {"a": "b"}}).status == 200
    assert running.arm("PUT", f"{GROUP}/Microsoft.KeyVault/vaults/new", {}).status == 405
