"""Plans as files: written by `plan --out`, and applied only while what they were made of still holds."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.input_files import texts
from azext_amlk8s.setup_files import ClusterSetup
from azext_amlk8s.values import parse_json

if TYPE_CHECKING:
    from azext_amlk8s.instance_types.documents import Text

VERSION = 1
AGAIN = "az amlk8s plan -f azureml.yaml --out plan.json"
MOST_NAMES = 5

Saved = Mapping[str, Any]


def save_plan(
    path: str, documents: Sequence[Text], clusters: Sequence[ClusterSetup], result: Mapping[str, Any]
) -> None:
    """Write a plan with the setup files that it was made of, and digests of the files that these refer to.

    Raises FileOperationError.
    """
    files = [{"source": os.path.abspath(each.source), "text": each.text} for each in documents]
    digests = {name: _digest(name) for name in sorted(_referenced(clusters))}
    content = json.dumps({"version": VERSION, "files": files, "digests": digests, "plan": result}, indent=1)
    try:
        Path(path).expanduser().write_text(content + "\n", encoding="utf-8")
    except OSError as error:
        raise az_error("FileOperationError", f"Cannot write '{path}': {error.strerror}.", ["--out FILE"]) from error


def is_saved_plan(path: str) -> bool:
    """Whether a file is a saved plan rather than a setup file."""
    try:
        content = parse_json(Path(path).expanduser().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and {"version", "files", "plan"} <= set(content)


def read_saved_plan(path: str) -> Saved:
    """A plan that `plan --out` wrote. Raises FileOperationError."""
    try:
        content = parse_json(Path(path).expanduser().read_text(encoding="utf-8"))
        reason = _problem(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not complete JSON"
    if reason:
        raise az_error("FileOperationError", f"Cannot read the plan '{path}': {reason}.", [AGAIN])
    saved: Saved = content
    return saved


def raise_if_files_changed(saved: Saved) -> None:
    """Raise ValidationError where a setup file, or one that it refers to, is not the one of the plan any more.

    A setup file that is not on this computer is taken from the plan. Raises FileOperationError for one that cannot be
    read.
    """
    changed = [
        str(each["source"])
        for each in saved["files"]
        if Path(str(each["source"])).is_file() and texts([str(each["source"])])[0].text != each["text"]
    ]
    changed += [name for name, digest in (saved.get("digests") or {}).items() if _digest(name) != digest]
    if changed:
        raise _changed("Files have changed since the plan was saved", [os.path.relpath(name) for name in changed])


def raise_if_plan_changed(saved: Saved, current: Mapping[str, Any]) -> None:
    """Raise ValidationError where the plan that was saved is not the plan of now."""
    before = {str(cluster["id"]): cluster for cluster in saved["plan"]["clusters"]}
    after = {str(cluster["id"]): cluster for cluster in current["clusters"]}
    changed = [cluster_id for cluster_id in after if _actions(after[cluster_id]) != _actions(before.get(cluster_id))]
    changed += [cluster_id for cluster_id in before if cluster_id not in after]
    if changed:
        names = [cluster_id.rsplit("/", 1)[-1] for cluster_id in changed]
        raise _changed("Azure or a cluster has changed since the plan was saved", names)


def _changed(what: str, names: Sequence[str]) -> Exception:
    from azext_amlk8s.console.setup_reports import some

    message = f"{what}: {some(names, MOST_NAMES)}. Nothing was changed."
    return az_error("ValidationError", message, ["Make the plan again with az amlk8s plan --out."])


def _problem(content: Any) -> str:
    """Why the content of a file is not a plan of this version; empty where it is."""
    try:
        if content["version"] != VERSION:
            return f"it has version {content['version']}; expected {VERSION}"
        clusters, files = content["plan"]["clusters"], content["files"]
        complete = all(
            isinstance(cluster["id"], str) and isinstance(cluster["resources"], list) for cluster in clusters
        )
        complete = complete and all({"source", "text"} <= set(each) for each in files) and bool(files)
        complete = complete and isinstance(content.get("digests") or {}, Mapping)
    except (KeyError, TypeError):
        complete = False
    return "" if complete else "it is not a plan"


def _actions(cluster: Mapping[str, Any] | None) -> list[Any]:
    return [
        [resource.get(key) for key in ("kind", "name", "action", "changes", "settings")]
        for resource in (cluster or {}).get("resources") or ()
    ]


def _referenced(clusters: Sequence[ClusterSetup]) -> set[str]:
    """The complete paths of the files of instance types and certificates; those of secrets are left out."""
    paths: set[str] = set()
    for cluster in clusters:
        paths |= {str(item["file"]) for item in cluster.instance_types if isinstance(item, Mapping) and "file" in item}
        files = ((cluster.extension or {}).get("tls") or {}).get("files") or {}
        paths |= {str(files[name]) for name in ("certificate",) if name in files}
    return paths


def _digest(path: str) -> str:
    """The SHA-256 of a file, empty for one that cannot be read."""
    try:
        return hashlib.sha256(Path(path).expanduser().read_bytes()).hexdigest()
    except (OSError, ValueError):
        return ""
