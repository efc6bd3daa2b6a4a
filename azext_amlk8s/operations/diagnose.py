"""az amlk8s extension diagnose: everything that a support case needs, in one archive without secrets."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.checks import facts as keys
from azext_amlk8s.operations.failure_context import NAMESPACE
from azext_amlk8s.settings.releases import running_version

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.kubernetes import Cluster
    from azext_amlk8s.operations.fact_collector import FactCollector
    from azext_amlk8s.rules import Unavailable

COLLECTED = (
    keys.CLUSTER, keys.EXTENSIONS, keys.PROVIDERS, keys.NODES, keys.NAMESPACES, keys.CONTROLLERS, keys.EVENTS,
    keys.HEALTH, keys.INSTANCE_TYPES, keys.RELAY, keys.QUOTAS, keys.VOLCANO, keys.ROUTER_ROLE, keys.RELEASES,
    keys.PERMISSIONS, keys.LOCKS, keys.FEATURE, keys.ARC_AGENTS,
)  # fmt: skip
NAMESPACES = (NAMESPACE, "azure-arc", "kube-system")
LOGGED_PODS, LOG_LINES, LOG_BYTES = 25, 500, 1_000_000
PAGE, ARCHIVE = "summary.html", "diagnosis.zip"


def diagnose(
    cmd: AzCliCommand,
    resource_group_name: str,
    cluster_name: str,
    output_folder: str,
    cluster_type: str | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
) -> dict[str, Any]:
    """Write an archive and its page into a new folder. Returns their paths, the files, the verdict and the summary."""
    from azext_amlk8s.checks import CheckTarget, build_report, select_checks
    from azext_amlk8s.console.check_console import make_observer
    from azext_amlk8s.operations.check import find_components, run_checks, signed_in_account
    from azext_amlk8s.operations.resource_lookup import open_named_cluster

    folder = _create_folder(output_folder, cluster_name)
    with _removed_on_failure(folder):
        client, cluster, resource = open_named_cluster(cmd, resource_group_name, cluster_name, cluster_type)
        target = CheckTarget(
            cluster,
            kubeconfig=kubeconfig or "",
            context=context or "",
            caller=signed_in_account(cmd.cli_ctx),
        )
        observer = make_observer(cmd, target)
        known = {keys.CLUSTER: resource} if resource else {}
        result, sources = run_checks(client, target, select_checks(target), observer, (*COLLECTED, keys.PODS), known)
    observer.end(result)
    report = build_report(target, result, find_components(result, sources))
    files = _build_files(sources, report)
    files[PAGE] = _build_page(report, sources, [*files, PAGE])
    _write(folder / ARCHIVE, _build_archive(files))
    _write(folder / PAGE, files[PAGE].encode(errors="backslashreplace"))
    return {
        "folder": str(folder),
        "archive": str(folder / ARCHIVE),
        "page": str(folder / PAGE),
        "files": list(files),
        "verdict": report["summary"]["verdict"],
        "summary": report["summary"],
    }


def _create_folder(output_folder: str, cluster: str) -> Path:
    """A new folder that only its owner can read. Raises FileOperationError."""
    from azure.cli.core.azclierror import FileOperationError

    parent = Path(output_folder).expanduser()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(100):
            folder = parent.resolve() / f"amlk8s-{cluster}-{stamp}{f'-{number}' if number else ''}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                if not folder.is_dir():
                    raise
                continue
            return folder
    except OSError as error:
        raise FileOperationError(
            f"Cannot create a folder in '{output_folder}': {error.strerror}.", recommendation="--output-folder ."
        ) from error
    raise FileOperationError(f"'{output_folder}' has 100 diagnoses of this second.", recommendation="Try again.")


@contextmanager
def _removed_on_failure(folder: Path) -> Iterator[None]:
    """Delete the new folder if nothing was written to it."""
    try:
        yield
    except BaseException:
        folder.rmdir()
        raise


def _build_files(sources: FactCollector, report: Mapping[str, Any]) -> dict[str, str]:
    """The files by name, without secrets; NAME.unavailable.txt says why a fact could not be read."""
    from azext_amlk8s.redaction import redact, redact_text
    from azext_amlk8s.rules import Unavailable

    facts = {fact.name: sources[fact] for fact in COLLECTED}
    pods = [pod for pod in sources.get(keys.PODS) or () if keys.namespace_of(pod) in NAMESPACES]
    facts["pods"] = pods if sources.get(keys.PODS) is not None else sources[keys.PODS]
    files = {"report.json": _json(report)}
    for name, value in facts.items():
        if isinstance(value, Unavailable):
            files[f"{name}.unavailable.txt"] = redact_text(f"{value.reason}\n")
        elif value not in (None, (), []):
            files[f"{name}.json"] = _json(redact(value))
    if (health := sources.get(keys.HEALTH)) and isinstance(health.get("data"), Mapping):
        reports = {key: text for key, text in redact(health["data"]).items() if str(key).startswith("reports-")}
        files |= {f"health/{key}.txt": str(text) for key, text in reports.items()}
    return {**files, **_read_logs(sources.connection, pods)}


def _read_logs(cluster: Cluster | Unavailable, pods: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The last lines of the logs of containers that are not ready or were restarted, and of the health check."""
    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable
    from azext_amlk8s.redaction import redact_text
    from azext_amlk8s.rules import Unavailable

    if isinstance(cluster, Unavailable):
        return {}
    logs = {}
    for pod, container, restarted in _containers_to_log(pods)[:LOGGED_PODS]:
        limits = f"tailLines={LOG_LINES}&limitBytes={LOG_BYTES}"
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}/log?container={container}&{limits}"
        for suffix, option in (("", ""), (".previous", "&previous=true")) if restarted else (("", ""),):
            try:
                text = cluster.read_text(path + option)
            except (ClusterUnreachable, ClusterRefused):
                continue
            if text:
                logs[f"logs/{pod}.{container}{suffix}.log"] = redact_text(text[:LOG_BYTES])
    return logs


def _containers_to_log(pods: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, bool]]:
    """Pod, container, and whether it was restarted."""
    containers = []
    for pod in pods:
        meta, status = pod.get("metadata") or {}, pod.get("status") or {}
        if meta.get("namespace") != NAMESPACE:
            continue
        for container in status.get("containerStatuses") or []:
            restarted = bool(container.get("restartCount"))
            if restarted or not container.get("ready") or meta.get("name") == "healthcheck":
                containers.append((str(meta.get("name")), str(container.get("name")), restarted))
    return containers


def _build_page(report: Mapping[str, Any], sources: FactCollector, files: Sequence[str]) -> str:
    from azext_amlk8s.checks.html_report import render_page
    from azext_amlk8s.scheduling.nodes import nodes_from_objects

    nodes = nodes_from_objects(sources.get(keys.NODES) or (), sources.get(keys.PODS) or ())
    cluster = sources.get(keys.CLUSTER) or {}
    extension = keys.find_extension(sources.get(keys.EXTENSIONS) or ()) or {}
    properties = extension.get("properties") or {}
    head = {
        "Created": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "Cluster": str(cluster.get("id") or report["summary"]["cluster"]),
        "Location": str(cluster.get("location") or ""),
        "Kubernetes": str((cluster.get("properties") or {}).get("kubernetesVersion") or ""),
        "Extension": str(extension.get("name") or "none"),
        "State": str(properties.get("provisioningState") or ""),
        "Version": running_version(extension),
        "Release train": str(properties.get("releaseTrain") or ""),
    }
    return render_page(report, nodes, {key: value for key, value in head.items() if value}, files)


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n"


def _build_archive(files: Mapping[str, str]) -> bytes:
    import io
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, time.gmtime()[:6])
            info.external_attr, info.compress_type = 0o600 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode(errors="backslashreplace"))
    return stream.getvalue()


def _write(file: Path, content: bytes) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
