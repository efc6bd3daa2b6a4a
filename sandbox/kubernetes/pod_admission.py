"""Admission of pods as the API server's own plugins do it: LimitRanger, PodSecurity and ResourceQuota.

https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sandbox.kubernetes import status
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.quantities import format_quantity, parse_quantity

Object = dict[str, Any]
COMPUTE = ("cpu", "memory", "ephemeral-storage")
ENFORCE = "pod-security.kubernetes.io/enforce"
ENFORCE_VERSION = f"{ENFORCE}-version"
LEVELS = ("privileged", "baseline", "restricted")
ALLOWED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"}
ALLOWED_VOLUMES |= {"projected", "secret"}


def forbidden_pod(kind: Kind, name: str, reason: str) -> status.ApiError:
    """403 of a plugin."""
    text = f'{kind.plural} "{name}" is forbidden: {reason}'
    return status.ApiError(403, "Forbidden", text, name=name, kind=kind.plural)


# LimitRanger


def apply_limit_range_defaults(pod: Object, limit_ranges: Iterable[Object]) -> None:
    """Fill in limits and requests of containers: requests from limits, then the defaults of the namespace."""
    containers = _containers(pod)
    for container in containers:
        resources = container.get("resources") or {}
        if resources.get("limits"):
            requests = {**resources["limits"], **(resources.get("requests") or {})}
            container["resources"] = {**resources, "requests": requests}
    for item in _limits(limit_ranges, "Container"):
        limits = {**(item.get("max") or {}), **(item.get("default") or {})}
        requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
        for container in containers:
            resources = container.get("resources") or {}
            merged = {
                "limits": {**limits, **(resources.get("limits") or {})},
                "requests": {**requests, **(resources.get("requests") or {})},
            }
            container["resources"] = {part: values for part, values in merged.items() if values}


def check_limit_ranges(kind: Kind, pod: Object, limit_ranges: Iterable[Object]) -> None:
    """Raise ApiError 403 for a pod outside the bounds of the namespace's LimitRanges."""
    problems: list[str] = []
    for limit_range in limit_ranges:
        for item in _limits([limit_range], "Container"):
            for container in _containers(pod):
                problems += _bound_problems(item, "Container", container.get("resources") or {})
        for item in _limits([limit_range], "Pod"):
            problems += _bound_problems(item, "Pod", _sums(pod))
    if problems:
        text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise forbidden_pod(kind, pod["metadata"]["name"], text)


def _bound_problems(item: Mapping[str, Any], subject: str, resources: Mapping[str, Any]) -> Iterator[str]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for resource, bound in sorted((item.get("min") or {}).items()):
        text = f"minimum {resource} usage per {subject} is {bound}"
        if resource not in requests:
            yield f"{text}.  No request is specified"
        elif parse_quantity(requests[resource]) < parse_quantity(bound):
            yield f"{text}, but request is {requests[resource]}"
        elif resource in limits and parse_quantity(limits[resource]) < parse_quantity(bound):
            yield f"{text}, but limit is {limits[resource]}"
    for resource, bound in sorted((item.get("max") or {}).items()):
        text = f"maximum {resource} usage per {subject} is {bound}"
        if resource not in limits:
            yield f"{text}.  No limit is specified"
        elif parse_quantity(limits[resource]) > parse_quantity(bound):
            yield f"{text}, but limit is {limits[resource]}"
        elif resource in requests and parse_quantity(requests[resource]) > parse_quantity(bound):
            yield f"{text}, but request is {requests[resource]}"


def _limits(limit_ranges: Iterable[Object], kind: str) -> Iterator[Mapping[str, Any]]:
    for limit_range in limit_ranges:
        for item in (limit_range.get("spec") or {}).get("limits") or ():
            if item.get("type") == kind:
                yield item


# ResourceQuota


def quota_usage(quota: Object, pods: Iterable[Object]) -> dict[str, str]:
    """What the pods of a namespace use of a quota: the given status.used, or a sum where that is missing."""
    hard = (quota.get("spec") or {}).get("hard") or {}
    given = (quota.get("status") or {}).get("used") or {}
    sums = {resource: Decimal(0) for resource in hard}
    for pod in pods:
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"):
            for resource, amount in _usage(pod).items():
                if resource in sums:
                    sums[resource] += amount
    return {resource: str(given.get(resource) or format_quantity(sums[resource], resource)) for resource in hard}


def check_quotas(kind: Kind, pod: Object, quotas: Iterable[Object], pods: Iterable[Object]) -> None:
    """Raise ApiError 403 for a pod that exceeds a quota, or lacks what a quota of the namespace requires."""
    usage, name, existing = _usage(pod), pod["metadata"]["name"], list(pods)
    for quota in quotas:
        hard = (quota.get("spec") or {}).get("hard") or {}
        quota_name = quota["metadata"]["name"]
        required = [
            resource
            for resource in sorted(hard)
            if resource.removeprefix("requests.").removeprefix("limits.") in COMPUTE[:2]
        ]
        if missing := [f"{resource} for: {names}" for resource in required if (names := _without(pod, resource))]:
            raise forbidden_pod(kind, name, f"failed quota: {quota_name}: must specify {'; '.join(missing)}")
        used = quota_usage(quota, existing)
        exceeded = [
            resource
            for resource in sorted(hard)
            if usage.get(resource) and parse_quantity(used[resource]) + usage[resource] > parse_quantity(hard[resource])
        ]
        if exceeded:
            requested = ",".join(f"{resource}={format_quantity(usage[resource], resource)}" for resource in exceeded)
            in_use = ",".join(f"{resource}={used[resource]}" for resource in exceeded)
            limited = ",".join(f"{resource}={hard[resource]}" for resource in exceeded)
            text = f"exceeded quota: {quota_name}, requested: {requested}, used: {in_use}, limited: {limited}"
            raise forbidden_pod(kind, name, text)


def _usage(pod: Object) -> dict[str, Decimal]:
    usage = {"pods": Decimal(1), "count/pods": Decimal(1)}
    for part, values in _sums(pod).items():
        for resource, quantity in values.items():
            amount = parse_quantity(quantity)
            usage[f"{part}.{resource}"] = amount
            if part == "requests":
                usage[resource] = amount
    return usage


def _without(pod: Object, resource: str) -> str:
    """The names of the containers that do not specify what a quota requires."""
    part, _, name = resource.rpartition(".")
    return ",".join(
        str(container.get("name"))
        for container in _containers(pod)
        if name not in ((container.get("resources") or {}).get(part or "requests") or {})
    )


def _sums(pod: Object) -> dict[str, dict[str, str]]:
    sums: dict[str, dict[str, Decimal]] = {"requests": {}, "limits": {}}
    for container in _containers(pod):
        for part, values in sums.items():
            for resource, quantity in ((container.get("resources") or {}).get(part) or {}).items():
                values[resource] = values.get(resource, Decimal(0)) + parse_quantity(quantity)
    return {
        part: {resource: format_quantity(value, resource) for resource, value in values.items()}
        for part, values in sums.items()
    }


# PodSecurity


def check_pod_security(kind: Kind, pod: Object, namespace: Object) -> None:
    """Raise ApiError 403 for a pod that the enforced level of its namespace does not allow."""
    labels = namespace["metadata"].get("labels") or {}
    level = labels.get(ENFORCE, "privileged")
    if level not in LEVELS or level == "privileged":
        return
    problems = [text for check in _CHECKS[level] for text in check(pod.get("spec") or {}, _containers(pod))]
    if problems:
        version = labels.get(ENFORCE_VERSION, "latest")
        text = f'violates PodSecurity "{level}:{version}": {", ".join(problems)}'
        raise forbidden_pod(kind, pod["metadata"]["name"], text)


Check = Callable[[Mapping[str, Any], "list[Object]"], Iterator[str]]


def _named(containers: Iterable[Object], prefix: str = "") -> str:
    names = [f'"{container.get("name")}"' for container in containers]
    return f"{prefix}container{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _security(container: Mapping[str, Any]) -> Mapping[str, Any]:
    return container.get("securityContext") or {}


def _privilege_escalation(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    if bad := [
        container for container in containers if _security(container).get("allowPrivilegeEscalation") is not False
    ]:
        text = f"{_named(bad)} must set securityContext.allowPrivilegeEscalation=false"
        yield f"allowPrivilegeEscalation != false ({text})"


def _capabilities(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    if bad := [
        container
        for container in containers
        if "ALL" not in (_security(container).get("capabilities") or {}).get("drop", ())
    ]:
        yield f'unrestricted capabilities ({_named(bad)} must set securityContext.capabilities.drop=["ALL"])'


def _host_namespaces(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    if bad := [f"{key}=true" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]:
        yield f"host namespaces ({', '.join(bad)})"


def _host_paths(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    if bad := [f'"{volume["name"]}"' for volume in spec.get("volumes") or () if "hostPath" in volume]:
        yield f"hostPath volumes (volume{'s' if len(bad) > 1 else ''} {', '.join(bad)})"


def _host_ports(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    for container in containers:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield f"hostPort ({_named([container])} uses hostPort {port['hostPort']})"


def _privileged(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    if bad := [container for container in containers if _security(container).get("privileged")]:
        yield f"privileged ({_named(bad)} must not set securityContext.privileged=true)"


def _restricted_volumes(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    for volume in spec.get("volumes") or ():
        source = next((key for key in volume if key != "name"), "emptyDir")
        if source not in ALLOWED_VOLUMES:
            yield f'restricted volume types (volume "{volume["name"]}" uses restricted volume type "{source}")'


def _non_root(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    whole = _security(spec).get("runAsNonRoot")
    if bad := [container for container in containers if _security(container).get("runAsNonRoot", whole) is not True]:
        yield f"runAsNonRoot != true ({_named(bad, 'pod or ')} must set securityContext.runAsNonRoot=true)"


def _seccomp(spec: Mapping[str, Any], containers: list[Object]) -> Iterator[str]:
    def profile(holder: Mapping[str, Any]) -> Any:
        return (_security(holder).get("seccompProfile") or {}).get("type")

    bad = [
        container
        for container in containers
        if (profile(container) or profile(spec)) not in ("RuntimeDefault", "Localhost")
    ]
    if bad:
        yield (
            f"seccompProfile ({_named(bad, 'pod or ')} must set securityContext.seccompProfile.type to "
            '"RuntimeDefault" or "Localhost")'
        )


_BASELINE: tuple[Check, ...] = (_host_namespaces, _host_paths, _host_ports, _privileged)
_RESTRICTED: tuple[Check, ...] = (
    _privilege_escalation,
    _capabilities,
    _host_namespaces,
    _host_ports,
    _privileged,
    _restricted_volumes,
    _non_root,
    _seccomp,
)
_CHECKS: Mapping[str, tuple[Check, ...]] = {"baseline": _BASELINE, "restricted": _RESTRICTED}


def _containers(pod: Object) -> list[Object]:
    spec = pod.get("spec") or {}
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
