"""Facts about what expires or was rotated; keys are compared and dropped at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.checks.facts import TlsSecret

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

HYBRID_CONNECTION, KEYS = "relayserver.hybridConnectionResourceID", "authorizationRules/azureml_rw/listKeys"
STRINGS = ("relayserver.relayConnectionString", "relayServerConnectionString")


def arc_certificate(cluster: Mapping[str, Any]) -> tuple[str, int] | None:
    """The date on which the identity of an Arc-connected cluster expires, and the days until then; None without one.

    https://learn.microsoft.com/rest/api/hybridkubernetes/connected-cluster/get
    """
    text = str((cluster.get("properties") or {}).get("managedIdentityCertificateExpirationTime") or "")
    try:
        expires = date.fromisoformat(text[:10])
    except ValueError:
        return None
    if expires.year < 2000:  # a date that was never set
        return None
    return expires.isoformat(), (expires - datetime.now(timezone.utc).date()).days


def tls_secret(name: str, secret: Mapping[str, Any] | None) -> TlsSecret:
    """What the secret of sslSecret has: the names of its entries and the expiry of its certificate."""
    data = (secret or {}).get("data") or {}
    expires, expired = _expiry(str(data.get("cert.pem") or ""))
    return TlsSecret(name, secret is not None, tuple(sorted(data)), expires, expired)


def _expiry(encoded: str) -> tuple[str, bool]:
    """The date on which a certificate expires, and whether that has passed; nothing for what is no certificate."""
    import base64

    from cryptography import x509

    try:
        expires = x509.load_pem_x509_certificate(base64.b64decode(encoded)).not_valid_after_utc
    except ValueError:
        return "", False
    return expires.date().isoformat(), expires < datetime.now(timezone.utc)


def relay_key_matches(client: AzureClient, cluster: Cluster, extension: Mapping[str, Any]) -> bool | None:
    """Whether the cluster has one of the keys that its relay has now; None where one side cannot be read.

    A custom relay is not compared: its resource is not known.
    """
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.operations.helm_history import read_release, release_values, value_of
    from azext_amlk8s.registered_secrets import register_secret

    settings = (extension.get("properties") or {}).get("configurationSettings") or {}
    relay = str(settings.get(HYBRID_CONNECTION) or "")
    if not relay.lower().startswith("/subscriptions/"):
        return None
    values = release_values(read_release(cluster, str(extension.get("name")))[0])
    deployed = next((value for key in STRINGS if (value := value_of(values, key))), "")
    if not deployed:
        return None
    register_secret(deployed)
    try:
        keys = client.post(f"{relay}/{KEYS}")
    except HttpResponseError:
        return None
    current = [str(keys.get(name) or "") for name in ("primaryConnectionString", "secondaryConnectionString")]
    return deployed in current
