"""What the probe of each node pool met: image pull, names, connections, certificates, proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from azext_amlk8s.checks.azure import required_endpoints
from azext_amlk8s.checks.facts import (
    CLOUD,
    CLUSTER,
    EXTENSIONS,
    PROBES,
    WORKSPACE,
    Facts,
    HostResult,
    PoolProbe,
    count,
    name_some,
)
from azext_amlk8s.diagnosis import explain
from azext_amlk8s.knowledge import load
from azext_amlk8s.knowledge.clouds import Endpoint
from azext_amlk8s.rules import CheckSpec, NotApplicable, Observation, Problem, Results, Severity, rule
from azext_amlk8s.values import parse_json

K = TypeVar("K")
V = TypeVar("V")
KNOWN = load("checks")["probe"]
SOURCE = KNOWN["source"]
TLS_PAGE = "https://learn.microsoft.com/azure/aks/custom-certificate-authority"
PROXY_PAGE = "https://learn.microsoft.com/azure/aks/http-proxy"
USES = (CLOUD, CLUSTER, EXTENSIONS, WORKSPACE)
MOST_HOSTS = 6


def parse_result(pool: str, node: str, exit_code: int, message: str) -> PoolProbe:
    """The probe of a pool from the termination message of its container."""
    try:
        content = parse_json(message)
        hosts = tuple(
            HostResult(
                str(host["host"]),
                str(host.get("stage") or ""),
                str(host.get("error") or ""),
                str(host.get("issuer") or ""),
                bool(host.get("proxied")),
            )
            for host in content["hosts"]
        )
        return PoolProbe(
            pool, "done", "", node, hosts, str(content.get("proxy") or ""), int(content.get("authorities") or 0)
        )
    except (ValueError, KeyError, TypeError):
        shown = " ".join(message.split())[-200:] or "no result"
        return PoolProbe(pool, "failed", f"exit code {exit_code}: {shown}", node)


@rule(
    "K901",
    Severity.ERROR,
    title="Probe of the node pools",
    requires="A pod starts on each node pool, with an image of Microsoft's registry.",
    source=SOURCE,
    why="Pods of the extension and of jobs would not start there either.",
    check=CheckSpec("probe", (PROBES,), USES),
)
def probe_pods(facts: Facts) -> Results:
    """An image that cannot be pulled is an error; a probe that could not run for another reason is a warning."""
    probes = facts[PROBES]
    for (state, text), pools in _grouped(
        ((probe.state, probe.message), probe.pool) for probe in probes if probe.state not in ("done", "skipped")
    ):
        if state == "image":
            images = facts[CLOUD].images
            message = f"{_on(pools)} cannot pull the image of the probe: {text}"
            fix = f"Allow outbound HTTPS from {_on(pools, False)} to {images} and *.data.{images}."
            yield Problem(pools[0], message, "the image is pulled", state, fix, tuple(pools[1:]))
        else:
            words = {"pending": "is not scheduled", "rejected": "was not created", "timeout": "has not ended"}
            message = f"The pod of the probe on {_on(pools, False)} {words.get(state, 'failed')}: {text}"
            explanation = explain(text)[0]
            fix = "\n".join(explanation.fix) if explanation.known else ""
            yield Problem(pools[0], message, "a result", state, fix, tuple(pools[1:]), Severity.WARNING)
    done = [probe.pool for probe in probes if probe.state == "done"]
    skipped = [f"{probe.pool} skipped: {probe.message}" for probe in probes if probe.state == "skipped"]
    yield Observation("; ".join([f"{count(len(done), 'node pool')} probed ({', '.join(done)})", *skipped]))


@rule(
    "K902",
    Severity.ERROR,
    title="Names of required hosts",
    requires="Pods on each node pool can resolve the hosts that the cluster must reach.",
    source=SOURCE,
    why="Components cannot connect to Azure: no such host.",
    check=CheckSpec("probe", (PROBES,), USES),
)
def names(facts: Facts) -> Results:
    """By the DNS of the pods; with a proxy, the name of the proxy alone."""

    def describe(pools: Sequence[str], hosts: str) -> tuple[str, str]:
        return (
            f"Pods on {_on(pools, False)} cannot resolve {hosts}",
            "Check the DNS servers of the network, its private DNS zones and the configuration of CoreDNS:\n"
            "kubectl get configmap coredns-custom -n kube-system -o yaml",
        )

    yield from _problems(facts, ("dns",), describe)
    yield Observation(_tested(facts))


@rule(
    "K903",
    Severity.ERROR,
    title="Connections to required hosts",
    requires="Pods on each node pool can connect to the hosts that the cluster must reach.",
    source=SOURCE,
    why="Images, tokens, jobs or logs do not get through.",
    check=CheckSpec("probe", (PROBES,), USES),
)
def connections(facts: Facts) -> Results:
    """A host that may stay closed, such as that of the logs for support, is a warning."""

    def describe(pools: Sequence[str], hosts: str) -> tuple[str, str]:
        return (
            f"Pods on {_on(pools, False)} cannot connect to {hosts}",
            f"Allow outbound HTTPS from {_on(pools, False)} to these hosts: firewall, network security group, route "
            "table, NetworkPolicy.",
        )

    yield from _problems(facts, ("connect", "handshake"), describe)
    yield Observation(_tested(facts))


@rule(
    "K904",
    Severity.ERROR,
    title="Issuers of certificates",
    requires="No device between the node pools and Azure replaces the certificates of the hosts.",
    source=TLS_PAGE,
    why="The components of the extension trust public CAs alone: x509: certificate signed by unknown authority.",
    check=CheckSpec("probe", (PROBES,), USES),
)
def interception(facts: Facts) -> Results:
    """An issuer that is no public CA; what an image without CAs does not trust proves nothing."""
    probes = _completed(facts)
    replaced = [
        ((host.issuer or "an unknown issuer", host.error), (probe.pool, host))
        for probe in probes
        for host in probe.hosts
        if host.stage == "tls" and not _is_public(host.issuer)
    ]
    for (issuer, error), found in _grouped(replaced):
        pools, hosts = (
            list(dict.fromkeys(pool for pool, _ in found)),
            list({result.host: result for _, result in found}.values()),
        )
        verb = "presents" if len(hosts) == 1 else "present"
        message = f"On {_on(pools, False)}, {_shown(hosts)} {verb} a certificate of '{issuer}' ({error})."
        fix = (
            f"Exempt these hosts from TLS inspection. The issuer '{issuer}' is not a public CA, and components of the "
            "extension do not trust it."
        )
        related = (*pools[1:], *(host.host for host in hosts))
        yield Problem(pools[0], message, "a certificate of a public CA", issuer, fix, related)
    issuers = dict.fromkeys(host.issuer for probe in probes for host in probe.hosts if host.issuer)
    yield Observation(name_some(list(issuers)) or "no certificate was seen")


@rule(
    "K905",
    Severity.ERROR,
    title="Proxy of pods",
    requires="The proxy of the containers lets them connect to the hosts that the cluster must reach.",
    source=PROXY_PAGE,
    why="Images, tokens, jobs or logs do not get through.",
    check=CheckSpec("probe", (PROBES,), USES),
)
def proxy(facts: Facts) -> Results:
    """By the variables HTTPS_PROXY and NO_PROXY of the container, which AKS sets for a cluster with a proxy."""

    def describe(pools: Sequence[str], hosts: str) -> tuple[str, str]:
        address = next(probe.proxy for probe in facts[PROBES] if probe.pool in pools)
        return (
            f"The proxy '{address}' of pods on {_on(pools, False)} does not connect to {hosts}",
            "Allow these hosts in the proxy, or add them to its noProxy list if they are reached directly.",
        )

    yield from _problems(facts, ("proxy",), describe)
    addresses = dict.fromkeys(probe.proxy for probe in facts[PROBES] if probe.proxy)
    yield Observation(", ".join(addresses) or "none")


def hosts_to_test(facts: Facts) -> list[str]:
    """The required hosts that are no patterns."""
    return [endpoint.host for endpoint in required_endpoints(facts) if not endpoint.is_pattern]


def _problems(
    facts: Facts, stages: Sequence[str], describe: Callable[[Sequence[str], str], tuple[str, str]]
) -> Iterator[Problem]:
    """A problem for each set of hosts whose connections ended at one of these stages, with the pools that have it.

    It is a warning where all hosts are optional.
    """
    endpoints = {required.host: required for required in required_endpoints(facts)}
    ended = [(tuple(host for host in probe.hosts if host.stage in stages), probe.pool) for probe in _completed(facts)]
    for hosts, pools in _grouped(entry for entry in ended if entry[0]):
        message, fix = describe(pools, _shown(hosts, endpoints))
        optional = all((endpoint := endpoints.get(host.host)) and endpoint.optional for host in hosts)
        errors = ", ".join(dict.fromkeys(host.error for host in hosts if host.error))
        message = f"{message}: {errors}." if errors else f"{message}."
        related = (*pools[1:], *(host.host for host in hosts))
        severity = Severity.WARNING if optional else None
        yield Problem(pools[0], message, "a connection", errors, fix, related, severity)


def _completed(facts: Facts) -> list[PoolProbe]:
    """The probes with a result. Raises NotApplicable without any."""
    completed = [probe for probe in facts[PROBES] if probe.state == "done"]
    if not completed:
        raise NotApplicable("see K901")
    return completed


def _grouped(pairs: Iterable[tuple[K, V]]) -> Iterator[tuple[K, list[V]]]:
    """The values of each key."""
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    yield from groups.items()


def _on(pools: Sequence[str], first: bool = True) -> str:
    """Node pools as the beginning of a sentence, or within one."""
    noun = "node pool" if len(pools) == 1 else "node pools"
    return f"{noun.capitalize() if first else noun} {name_some(pools, 4)}"


def _shown(hosts: Sequence[HostResult], purposes: Mapping[str, Endpoint] | None = None) -> str:
    """The hosts, each with what it is for: "pypi.org (Python packages of environments)"."""
    listed = []
    for host in hosts[:MOST_HOSTS]:
        endpoint = (purposes or {}).get(host.host)
        listed.append(f"{host.host} ({endpoint.purpose})" if endpoint else host.host)
    rest = len(hosts) - MOST_HOSTS
    return name_some(listed, MOST_HOSTS) if rest <= 0 else f"{', '.join(listed)} and {count(rest, 'other host')}"


def _tested(facts: Facts) -> str:
    tested = max((len(probe.hosts) for probe in facts[PROBES]), default=0)
    patterns = [
        endpoint.host for endpoint in required_endpoints(facts) if endpoint.is_pattern and not endpoint.optional
    ]
    rest = f"; not tested: {', '.join(patterns)}" if patterns else ""
    return f"{count(tested, 'host')} tested{rest}"


def _is_public(issuer: str) -> bool:
    return any(name in issuer.lower() for name in KNOWN["issuers"])
