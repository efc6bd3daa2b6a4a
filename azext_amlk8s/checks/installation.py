"""The rules of settings, evaluated one by one on the facts of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from azext_amlk8s.checks.facts import (
    CLUSTER,
    EXTENSIONS,
    NODES,
    PROVIDERS,
    Facts,
    find_extension,
)
from azext_amlk8s.checks.model import Check
from azext_amlk8s.rules import CheckSpec, Finding, Observation, Severity
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.settings import (
    ClusterFacts,
    Settings,
    cluster_facts_from_resources,
    evaluate_cluster_rules,
    read_deployed,
)

WORKLOADS = {"training": ("True", "False"), "inference": ("False", "True"), "both": ("True", "True")}


def setting_check(
    ids: str,
    title: str,
    spec: CheckSpec,
    severity: Severity = Severity.ERROR,
    observe: Callable[[Facts], str] | None = None,
) -> Check:
    """A check that passes on the findings of rules of settings.

    ids are those of the rules, separated by spaces; the first is the id of the check. observe gives the clause that is
    printed beside the title where there is no finding.
    """
    names = tuple(ids.split())

    def evaluate(facts: Facts) -> Iterator[Finding | Observation]:
        yield from (finding for finding in evaluate_setting_rules(facts) if finding.id in names)
        if observe and (text := observe(facts)):
            yield Observation(text)

    spec = replace(spec, uses=(EXTENSIONS, *spec.uses), relays=names[1:])
    return Check(names[0], title, severity, spec, evaluate)


def evaluate_setting_rules(facts: Facts) -> tuple[Finding, ...]:
    """The findings of all rules of settings for this cluster."""
    return evaluate_cluster_rules(settings_of(facts), cluster_facts_of(facts))


def settings_of(facts: Facts) -> Settings:
    """The settings of the request, or the deployed ones with the scenario of the check, or the scenario alone."""
    if facts.target.settings is not None:
        return facts.target.settings
    extension = None if facts.target.before else find_extension(facts.get(EXTENSIONS) or ())
    settings = read_deployed(extension).settings() if extension else Settings()
    enabled = WORKLOADS.get(facts.target.scenario or ("" if extension else "both"))
    if enabled is None:
        return settings
    return replace(settings, config={**settings.config, "enableTraining": enabled[0], "enableInference": enabled[1]})


def cluster_facts_of(facts: Facts) -> ClusterFacts:
    """The cluster as the rules of settings see it, with its nodes where they have been read."""
    extensions, providers = facts.get(EXTENSIONS) or (), facts.get(PROVIDERS) or ()
    cluster = cluster_facts_from_resources(facts[CLUSTER], facts.cluster.type, extensions, providers)
    nodes = facts.get(NODES)
    return cluster if nodes is None else replace(cluster, nodes=tuple(nodes_from_objects(nodes)))
