"""Helm's own record of an installation: a Secret for each revision of the release, as Helm 3 writes them.

https://helm.sh/docs/topics/advanced/#storage-backends
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

from sandbox.azure.kubernetes_configuration.install_failures import NAMESPACE, Install

HISTORY = 10  # revisions that Helm keeps
DESCRIPTIONS = {"deployed": "Upgrade complete", "pending-upgrade": "Preparing upgrade", "failed": "Upgrade failed"}


async def record_revision(install: Install) -> None:
    """Write the revision that is deployed now, mark the one before as superseded, and forget the oldest ones."""
    await _record(install, "deployed")


async def record_interruption(install: Install) -> None:
    """Write the revision of an upgrade that has not ended."""
    await _record(install, "pending-upgrade")


async def record_rollback(install: Install) -> None:
    """Write the revision of an upgrade that failed; the one before stays deployed."""
    await _record(install, "failed")


async def _record(install: Install, status: str) -> None:
    client = install.side.client
    revisions = await _revisions(install)
    for secret in revisions:
        if status == secret["metadata"]["labels"]["status"] == "deployed":
            await client.apply(_with_status(secret, "superseded"))
    number = max((int(secret["metadata"]["labels"]["version"]) for secret in revisions), default=0) + 1
    await client.apply(_revision(install, number, status))
    for secret in revisions[: max(len(revisions) + 1 - HISTORY, 0)]:
        await client.delete("v1", "Secret", secret["metadata"]["name"], NAMESPACE)


async def _revisions(install: Install) -> list[dict[str, Any]]:
    """The revisions of the release from oldest to newest."""
    found = await install.side.client.list("v1", "Secret", NAMESPACE, f"owner=helm,name={install.name}")
    numbered = [secret for secret in found if secret["metadata"]["labels"].get("version", "").isdigit()]
    return sorted(numbered, key=lambda secret: int(secret["metadata"]["labels"]["version"]))


def _with_status(secret: dict[str, Any], status: str) -> dict[str, Any]:
    metadata = secret["metadata"]
    kept = {key: metadata[key] for key in ("name", "namespace", "labels")}
    return {**secret, "metadata": {**kept, "labels": {**kept["labels"], "status": status}}}


def _revision(install: Install, number: int, status: str) -> dict[str, Any]:
    release = {
        "name": install.name,
        "namespace": NAMESPACE,
        "version": number,
        "info": {"status": status, "description": DESCRIPTIONS[status]},
        "chart": {"metadata": {"name": "amlarc-extension", "version": install.version}},  # assumed: the chart's name
        "config": values_of({**install.settings, **install.protected}),
    }
    packed = base64.b64encode(gzip.compress(json.dumps(release).encode(), mtime=0))
    labels = {"owner": "helm", "name": install.name, "status": status, "version": str(number)}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {
            "name": f"sh.helm.release.v1.{install.name}.v{number}",
            "namespace": NAMESPACE,
            "labels": labels,
        },
        "data": {"release": base64.b64encode(packed).decode()},
    }


def values_of(settings: dict[str, str]) -> dict[str, Any]:
    """Settings as Helm reads `--set`: dots separate the parts of a key, unless a backslash precedes them."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        parts = [part.replace("\0", ".") for part in key.replace("\\.", "\0").split(".")]
        place = values
        for part in parts[:-1]:
            following = place.get(part)
            place[part] = following if isinstance(following, dict) else {}
            place = place[part]
        place[parts[-1]] = value
    return values
