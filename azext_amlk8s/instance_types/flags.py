"""An instance type out of the options of a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types import catalogue as rule
from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.instance_types.rules import judge_object
from azext_amlk8s.instance_types.yamltext import Document
from azext_amlk8s.rules import Finding, Severity


@dataclass(frozen=True)
class Flags:
    """The options as they were given; gpu counts gpu_resource, which is nvidia.com/gpu unless it is given."""

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
        """Whether a CPU and a memory were given, be it as request or as limit."""
        return bool(self.cpu_request or self.cpu_limit) and bool(self.memory_request or self.memory_limit)


def from_flags(
    name: str, flags: Flags, base: InstanceType | None = None
) -> tuple[InstanceType | None, tuple[Finding, ...]]:
    """The instance type that flags describe, over base where there is one, with all findings.

    Without a base, a request that is not given is the limit, and the other way round. Of a base, what is given alone
    changes; the labels of node_selector replace those that it has.
    """
    findings: list[Finding] = []
    selector = _selector(flags.node_selector, findings)
    requests = dict(base.requests) if base else {}
    limits = dict(base.limits) if base else {}
    for key, low, high in (
        ("cpu", flags.cpu_request, flags.cpu_limit),
        ("memory", flags.memory_request, flags.memory_limit),
    ):
        requests |= {key: low or (None if base else high)} if low or not base else {}
        limits |= {key: high or (None if base else low)} if high or not base else {}
    if flags.gpu is not None:
        limits[flags.gpu_resource or GPU] = flags.gpu
    if base and flags.node_selector is None:
        selector = dict(base.node_selector)
    metadata: dict[str, Any] = {"name": name}
    if base:
        metadata |= {"labels": dict(base.labels), "annotations": dict(base.annotations)}
    spec: dict[str, Any] = {"nodeSelector": selector, "resources": {"requests": requests, "limits": limits}}
    source = f"the instance type {name}"
    made, found = judge_object(Document(source, {"metadata": metadata, "spec": spec}))
    findings += found
    return (None if any(one.severity is Severity.ERROR for one in findings) else made), tuple(findings)


def _selector(words: Iterable[str] | None, findings: list[Finding]) -> dict[str, str]:
    selector: dict[str, str] = {}
    for word in words or ():
        key, sign, value = word.partition("=")
        if sign and key:
            selector[key] = value
            continue
        message = f"{word} in --node-selector is not of the form key=value."
        fix = f"--node-selector {key or 'key'}=VALUE"
        findings.append(rule.I116.finding("--node-selector", message, found=word, fix=fix))
    return selector
