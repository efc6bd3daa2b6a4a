"""An instance type from the options of a command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.instance_types.rules import read_object
from azext_amlk8s.instance_types.sources import LABELS
from azext_amlk8s.instance_types.yaml_documents import Document
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule


@dataclass(frozen=True)
class Flags:
    """The options as they were given; gpu is a number of gpu_resource, by default nvidia.com/gpu."""

    cpu_request: str | None = None
    cpu_limit: str | None = None
    memory_request: str | None = None
    memory_limit: str | None = None
    gpu: int | None = None
    gpu_resource: str | None = None
    node_selector: Sequence[str] | None = None

    @property
    def any(self) -> bool:
        """Whether any was given."""
        return any(value is not None for value in vars(self).values())

    @property
    def sized(self) -> bool:
        """Whether both CPU and memory were given, as request or as limit."""
        return bool(self.cpu_request or self.cpu_limit) and bool(self.memory_request or self.memory_limit)


@rule(
    "I131",
    Severity.ERROR,
    title="Form of --node-selector",
    requires="--node-selector must be a list of key=value pairs.",
    source=LABELS,
)
def selector_form(words: Sequence[str]) -> Problems:
    """Words that are no pair."""
    for word in words:
        key, sign, _ = word.partition("=")
        if not (sign and key):
            fix = f"--node-selector agentpool={word}" if not sign else "--node-selector agentpool=gpu"
            message = f"--node-selector: invalid value '{word}'; expected key=value."
            yield Problem("--node-selector", message, expected="key=value", found=word, fix=fix)


def from_flags(
    name: str, flags: Flags, base: InstanceType | None = None
) -> tuple[InstanceType | None, tuple[Finding, ...]]:
    """The instance type that flags describe, as changes of base where there is one, and all findings.

    Without a base, a missing request equals the limit, and the other way round. With a base, only what is given
    changes; node_selector replaces all its labels.
    """
    pairs = flags.node_selector or ()
    findings = [*selector_form(pairs)]
    selector = {key: value for key, sign, value in (word.partition("=") for word in pairs) if sign and key}
    requests = dict(base.requests) if base else {}
    limits = dict(base.limits) if base else {}
    for key, request, limit in (
        ("cpu", flags.cpu_request, flags.cpu_limit),
        ("memory", flags.memory_request, flags.memory_limit),
    ):
        requests |= {key: request or (None if base else limit)} if request or not base else {}
        limits |= {key: limit or (None if base else request)} if limit or not base else {}
    if flags.gpu is not None:
        limits[flags.gpu_resource or GPU] = flags.gpu
    metadata: dict[str, Any] = {"name": name}
    if base:
        selector = selector if flags.node_selector is not None else dict(base.node_selector)
        metadata |= {"labels": dict(base.labels), "annotations": dict(base.annotations)}
    spec: dict[str, Any] = {"nodeSelector": selector, "resources": {"requests": requests, "limits": limits}}
    document = Document(f"instance type '{name}'", {"metadata": metadata, "spec": spec})
    instance_type, object_findings = read_object(document)
    findings += object_findings
    valid = not any(finding.severity is Severity.ERROR for finding in findings)
    return (instance_type if valid else None), tuple(findings)
