"""What users have changed in the cluster and an upgrade could revert: instance types, and parts of config maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.reports import count

if TYPE_CHECKING:
    from pathlib import Path

    from azext_amlk8s.kubernetes import Cluster

NAMESPACE = "azureml"
CONFIG_MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
INSTANCE_TYPE_VERSION = "amlarc.azureml.com/v1alpha1"
VOLATILE = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation")
# Config maps that the cluster or the extension writes itself.
GENERATED = ("kube-root-ca.crt", "arcml-healthcheck")


@dataclass(frozen=True)
class Customisation:
    """The keys of a config map that a field manager other than the chart's has written, with their values."""

    config_map: str
    manager: str
    data: Mapping[str, str]


@dataclass(frozen=True)
class Backup:
    """What was read before an upgrade."""

    instance_types: tuple[Mapping[str, Any], ...]
    customisations: tuple[Customisation, ...]

    def write(self, file: Path) -> None:
        """Write it as YAML that kubectl can apply, for its owner alone."""
        import os

        import yaml

        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            yaml.safe_dump_all([*self.instance_types, *map(_config_map, self.customisations)], stream, sort_keys=False)


def save_backup(backup: Backup, cluster_name: str) -> str | None:
    """Write a backup to a new file below the configuration folder of az; its name, None for an empty backup."""
    import os
    from datetime import datetime, timezone
    from pathlib import Path

    from azure.cli.core._environment import get_config_dir
    from knack.log import get_logger

    if not backup.instance_types and not backup.customisations:
        return None
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S")
    file = Path(get_config_dir()) / "amlk8s" / "backups" / f"{cluster_name}-{stamp}-{os.getpid()}.yaml"
    backup.write(file)
    saved = (
        count(len(backup.instance_types), "instance type"),
        count(len(backup.customisations), "changed config map"),
    )
    get_logger(__name__).warning("Saved %s and %s to %s.", *saved, file)
    return str(file)


def read_backup(cluster: Cluster) -> Backup:
    """Instance types and customised config maps. Raises ClusterUnreachable, ClusterRefused."""
    from azext_amlk8s.kubernetes import NoInstanceTypes

    try:
        types = [_plain(item) for item in cluster.list_instance_types()]
    except NoInstanceTypes:
        types = []
    charts = _chart_managers(cluster.items(DEPLOYMENTS))
    maps = [item for item in cluster.items(CONFIG_MAPS) if item["metadata"]["name"] not in GENERATED]
    return Backup(tuple(types), tuple(found for item in maps for found in customisations(item, charts)))


def restore(cluster: Cluster, backup: Backup) -> list[str]:
    """Apply what is missing or has other values now, each under its own field manager. Returns what was applied."""
    restored = []
    for saved in backup.customisations:
        live = cluster.read(f"{CONFIG_MAPS}/{saved.config_map}")
        data = (live or {}).get("data") or {}
        if all(data.get(key) == value for key, value in saved.data.items()):
            continue
        cluster.apply(f"{CONFIG_MAPS}/{saved.config_map}", _config_map(saved), manager=saved.manager, force=True)
        restored.append(f"config map {saved.config_map} ({', '.join(saved.data)})")
    present = {item["metadata"]["name"] for item in cluster.list_instance_types()} if backup.instance_types else set()
    for item in backup.instance_types:
        if item["metadata"]["name"] not in present:
            cluster.apply_instance_type(dict(item))
            restored.append(f"instance type {item['metadata']['name']}")
    return restored


def customisations(config_map: Mapping[str, Any], chart_managers: Iterable[str]) -> list[Customisation]:
    """The parts of a config map that others than the chart's managers own, by manager.

    https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
    """
    metadata, data = config_map["metadata"], config_map.get("data") or {}
    found = []
    for entry in metadata.get("managedFields") or ():
        owned = (entry.get("fieldsV1") or {}).get("f:data") or {}
        keys = [key.removeprefix("f:") for key in owned if key.startswith("f:")]
        values = {key: str(data[key]) for key in keys if key in data}
        if values and entry.get("manager") not in chart_managers:
            found.append(Customisation(str(metadata["name"]), str(entry["manager"]), values))
    return found


def _chart_managers(deployments: Iterable[Mapping[str, Any]]) -> set[str]:
    """The field managers that write the Deployments of the chart: Helm, whatever it is called there."""
    return {
        str(entry.get("manager"))
        for deployment in deployments
        if (deployment["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "Helm"
        for entry in deployment["metadata"].get("managedFields") or ()
        if "f:template" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        and not str(entry.get("manager")).startswith("kubectl")
    }


def _config_map(saved: Customisation) -> dict[str, Any]:
    metadata = {"name": saved.config_map, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(saved.data)}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in item["metadata"].items() if key not in VOLATILE}
    version = item.get("apiVersion") or INSTANCE_TYPE_VERSION
    return {"apiVersion": version, "kind": "InstanceType", "metadata": metadata, "spec": item.get("spec")}
