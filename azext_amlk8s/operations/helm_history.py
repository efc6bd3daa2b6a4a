"""The revisions of the extension's Helm release, as Helm records them in the cluster."""

from __future__ import annotations

import base64
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.knowledge import load
from azext_amlk8s.values import mapping, parse_json, text

if TYPE_CHECKING:
    from azext_amlk8s.kubernetes import Cluster

NAMESPACE = "azureml"
PATH = f"/api/v1/namespaces/{NAMESPACE}/secrets"
# How long Helm may take to remove its release after Azure has reported the extension as deleted.
UNINSTALL_SECONDS, INTERVAL_SECONDS = 300, 2.0
# A secret has at most 1 MB; text is compressed to a tenth.
MOST_BYTES = 50_000_000


@dataclass(frozen=True)
class Revision:
    """A revision: its number, its status such as deployed or pending-upgrade, and the Secret that records it."""

    number: int
    status: str
    secret: str
    uid: str

    @property
    def is_pending(self) -> bool:
        """Whether Helm takes it for an operation that still runs, and refuses any other."""
        return self.status in load("checks")["conflicts"]["helmBusy"]


def read_history(cluster: Cluster, release: str) -> list[Revision]:
    """The revisions from the oldest to the newest. Raises ClusterUnreachable, ClusterRefused."""
    secrets = cluster.items(f"{PATH}?labelSelector=owner%3Dhelm%2Cname%3D{release}")
    return sorted((_revision(secret) for secret in secrets), key=lambda revision: revision.number)


def wait_for_uninstall(
    cluster: Cluster, timeout: float, release: str = "", on_wait: Callable[[], None] = lambda: None
) -> bool:
    """Wait until Helm has uninstalled a release, without a name every one: its record is deleted last.

    timeout is in seconds; on_wait is called before each pause. Returns whether there is none any more. Raises
    ClusterUnreachable, ClusterRefused.
    """
    deadline = time.monotonic() + min(timeout, UNINSTALL_SECONDS)
    path = f"{PATH}?labelSelector=owner%3Dhelm" + (f"%2Cname%3D{release}" if release else "")
    while (cluster.read(path, metadata_only=True) or {}).get("items"):
        if time.monotonic() >= deadline:
            return False
        on_wait()
        time.sleep(INTERVAL_SECONDS)
    return True


def read_release(cluster: Cluster, release: str) -> tuple[dict[str, Any], str]:
    """The deployed revision of a Helm release as Helm stores it, and why it cannot be read where it is empty.

    Its values (config) have the protected settings of the extension. Raises ClusterUnreachable and
    UnexpectedResponse.
    https://helm.sh/docs/topics/advanced/#storage-backends
    """
    from azext_amlk8s.kubernetes import ClusterRefused, UnexpectedResponse

    selector = f"owner%3Dhelm%2Cname%3D{release}%2Cstatus%3Ddeployed"
    try:
        secrets = cluster.items(f"{PATH}?labelSelector={selector}")
    except UnexpectedResponse:
        raise  # it does not say that the user may not read them
    except ClusterRefused as refused:
        return {}, f"the secrets of the cluster cannot be read: {refused.message}"
    for secret in sorted(secrets, key=lambda each: _revision(each).number, reverse=True):
        try:
            packed = base64.b64decode(base64.b64decode(str((secret.get("data") or {})["release"])))
            content = parse_json(_unpacked(packed))
        except (KeyError, ValueError, zlib.error):
            continue
        if isinstance(content, dict):
            return content, ""
    return {}, f"the cluster has no Helm release '{release}' that can be read"


def _unpacked(packed: bytes) -> bytes:
    """What was compressed with gzip. Raises ValueError where it is larger than any release, or not complete."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    content = unpacker.decompress(packed, MOST_BYTES)
    if not unpacker.eof:
        raise ValueError("the release is too large or not complete")
    return content


def release_values(release: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that a release was installed with."""
    values = release.get("config")
    return values if isinstance(values, Mapping) else {}


def chart_version(release: Mapping[str, Any]) -> str:
    """The version of the chart of a release, empty where it is not known."""
    return text(mapping(mapping(release.get("chart")).get("metadata")).get("version"))


def value_of(values: Mapping[str, Any], key: str) -> str:
    """A value by its key with dots; Helm keeps them as nested values. Empty where there is none."""
    place: Any = values
    for part in key.split("."):
        place = place.get(part) if isinstance(place, Mapping) else None
    return place if isinstance(place, str) else ""


def delete_revision(cluster: Cluster, revision: Revision) -> None:
    """Delete the record of a revision; what it has changed in the cluster stays."""
    cluster.delete(f"{PATH}/{revision.secret}", revision.uid)


def _revision(secret: Mapping[str, Any]) -> Revision:
    metadata = secret.get("metadata") or {}
    labels = metadata.get("labels") or {}
    version = str(labels.get("version"))
    number = int(version) if version.isdigit() else 0
    return Revision(number, str(labels.get("status") or ""), str(metadata.get("name")), str(metadata.get("uid")))
