"""What a job, a step of a pipeline or a deployment needs of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.instance_types.model import DEFAULT_NAME, InstanceType


@dataclass(frozen=True)
class Workload:
    """One pod template of a workload file.

    kind is command, sweep, parallel, deployment or endpoint. compute is a name or an ARM ID, instance_type as the file
    has it; both are None where the file names none. count is the least number of pods. resources is the section of a
    deployment; image is the image or the environment; places are the positions of keys in the file.
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
        """The place of a key of the workload, or of the workload itself."""
        return self.places.get(path, self.place)

    @property
    def compute_name(self) -> str | None:
        """The last part of the compute, without the prefix azureml: and the path of an ARM ID."""
        return self.compute.removeprefix("azureml:").rstrip("/").rsplit("/", 1)[-1] if self.compute else None

    @property
    def type_name(self) -> str:
        """The instance type that applies: that of the file, otherwise the default."""
        return self.instance_type or DEFAULT_NAME


@dataclass(frozen=True)
class KnownTypes:
    """The instance types of a compute, a cluster or files; where names which, for messages."""

    where: str
    types: Mapping[str, InstanceType] = field(default_factory=dict)
