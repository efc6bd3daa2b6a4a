"""The Secrets in which rotated certificates are kept: the one that the router has, and the one before it.

They are in the namespace of the extension, readable for those who can read its other secrets, and are deleted with it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from azext_amlk8s.settings.certificate_material import Material, UnusableMaterial, material_from_secret

if TYPE_CHECKING:
    from azext_amlk8s.kubernetes import Cluster

NAMESPACE = "azureml"
PATH = f"/api/v1/namespaces/{NAMESPACE}/secrets"
LABELS = {"app.kubernetes.io/managed-by": "az-amlk8s", "app.kubernetes.io/component": "router-certificate"}
SELECTOR = "%2C".join(f"{key.replace('/', '%2F')}%3D{value}" for key, value in LABELS.items())
REPLACED, ORIGIN = "amlk8s/replaced-at", "amlk8s/source"
PREFIX, DIGITS = "amlk8s-certificate-", 12


def secret_name(material: Material) -> str:
    """The name of the Secret for a certificate, the same each time."""
    return f"{PREFIX}{material.fingerprint[:DIGITS]}"


def keep(cluster: Cluster, material: Material, source: str, *, replaced: bool = False) -> str:
    """Write a certificate with its key to its Secret; replaced marks it as the one before. Returns the name."""
    name = secret_name(material)
    annotations = {ORIGIN: source, **({REPLACED: datetime.now(timezone.utc).isoformat()} if replaced else {})}
    cluster.apply(
        f"{PATH}/{name}",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": LABELS, "annotations": annotations},
            "data": {
                "cert.pem": base64.b64encode(material.certificate).decode("ascii"),
                "key.pem": base64.b64encode(material.key).decode("ascii"),
            },
        },
    )
    return name


def previous_certificate(cluster: Cluster, current: str) -> tuple[str, Material] | None:
    """The certificate that was replaced last, with the name of its Secret; never the one with this fingerprint."""
    for secret in _replaced(cluster):
        try:
            material = material_from_secret(secret.get("data") or {})
        except UnusableMaterial:
            continue
        if material.fingerprint and material.fingerprint != current:
            return str(secret["metadata"]["name"]), material
    return None


def forget_others(cluster: Cluster, current: Material) -> None:
    """Delete the Secrets of all certificates but the current one and the one that was replaced last."""
    previous = previous_certificate(cluster, current.fingerprint)
    kept = {secret_name(current), previous[0] if previous else ""}
    for secret in cluster.items(f"{PATH}?labelSelector={SELECTOR}"):
        metadata = secret["metadata"]
        if metadata["name"] not in kept:
            cluster.delete(f"{PATH}/{metadata['name']}", metadata["uid"])


def _replaced(cluster: Cluster) -> list[dict[str, Any]]:
    """The Secrets of replaced certificates, the newest first."""
    secrets = cluster.items(f"{PATH}?labelSelector={SELECTOR}")
    return sorted((secret for secret in secrets if _replaced_at(secret)), key=_replaced_at, reverse=True)


def _replaced_at(secret: Mapping[str, Any]) -> str:
    return str((secret["metadata"].get("annotations") or {}).get(REPLACED) or "")
