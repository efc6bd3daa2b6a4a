"""What a job, a step or a deployment asks of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule


@dataclass(frozen=True)
class Ask:
    """One pod template of a workload file.

    kind is command, sweep, parallel, deployment or endpoint. compute is the bare name or an ARM id, instance_type as
    it is written; both are None where nothing is said. count is how many pods are asked for at least. resources is
    the section of a deployment; image whatever names the image or the environment; places says where in the file the
    keys stand.
    """

    place: str
    kind: str
    name: str = ""
    compute: str | None = None
    instance_type: str | None = None
    count: int = 1
    resources: Mapping[str, Any] | None = None
    image: str = ""
    mlflow: bool = False
    endpoint: str = ""
    places: Mapping[tuple[str, ...], str] = field(default_factory=dict, compare=False, repr=False)

    def at(self, *path: str) -> str:
        """The place of a key of the ask, or of the ask itself."""
        return self.places.get(path, self.place)

    @property
    def compute_name(self) -> str | None:
        """The last part of the compute, without the prefix azureml: and the path of an ARM id."""
        return self.compute.removeprefix("azureml:").rstrip("/").rsplit("/", 1)[-1] if self.compute else None


@dataclass(frozen=True)
class Known:
    """The instance types of a compute, of a cluster or of documents; where says which, in words."""

    where: str
    types: Mapping[str, InstanceType] = field(default_factory=dict)


def said(rule: Rule, place: str, message: str, *, fix: str = "", required: str = "", found: str = "") -> Finding:
    """A finding on a workload file; place names file, line, column and part."""
    return rule.finding(place, f"{place}: {message}", required=required or rule.what, found=found, fix=fix)


def snippet(told: Any) -> str:
    """YAML to paste."""
    return yaml.safe_dump(told, sort_keys=False, default_flow_style=False).strip()
