"""The rules of an installation, asked one by one; what they are about is made of the facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from azext_amlk8s.checks.facts import Facts, labels_of, name_of, ours, seen
from azext_amlk8s.checks.model import Check, When
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.scheduling.amounts import thousandths
from azext_amlk8s.settings import ClusterFacts, Settings, cluster_facts, deployed, judge_facts
from azext_amlk8s.settings.facts import Pool, Taint

ON = {"training": ("True", "False"), "inference": ("False", "True"), "both": ("True", "True")}


def check(
    rule: Rule,
    category: str,
    needs: tuple[str, ...],
    *,
    wants: tuple[str, ...] = (),
    when: When = When.ALWAYS,
    retry: bool = False,
    clusters: str = "",
) -> Check:
    """A check that asks one rule of settings on a cluster."""

    def judge(facts: Facts) -> Iterator[Finding]:
        found = judge_facts(settings_of(facts), about(facts))
        return (one for one in found if one.id == rule.id)

    return Check(rule, category, judge, needs, ("extensions", *wants), when, retry, clusters=clusters)


def settings_of(facts: Facts) -> Settings:
    """What is installed, with the scenario that is asked for; before an installation the scenario alone."""
    there = None if facts.place.before else ours(seen(facts.extensions) or ())
    settings = deployed(there).settings() if there else Settings()
    on = ON.get(facts.place.scenario or ("" if there else "both"))
    if on is None:
        return settings
    return replace(settings, config={**settings.config, "enableTraining": on[0], "enableInference": on[1]})


def about(facts: Facts) -> ClusterFacts:
    """The cluster for the rules; where Azure tells of no pools, every node stands for itself."""
    told = cluster_facts(
        facts.cluster, facts.place.cluster_type, seen(facts.extensions) or (), seen(facts.providers) or ()
    )
    if facts.place.is_aks or seen(facts.nodes) is None:
        return told
    return replace(told, pools=tuple(_pool(node) for node in facts.nodes), node_count=len(facts.nodes))


def _pool(node: dict) -> Pool:  # type: ignore[type-arg]
    spec, status, labels = node.get("spec") or {}, node.get("status") or {}, labels_of(node)
    taints = [
        Taint(str(one["key"]), str(one.get("value") or ""), str(one["effect"])) for one in spec.get("taints") or ()
    ]
    if spec.get("unschedulable"):
        taints.append(Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"))
    cpu = (status.get("allocatable") or {}).get("cpu", 0)
    system = labels.get("kubernetes.io/os", "linux")
    return Pool(
        name_of(node),
        1,
        1,
        os=system,
        labels=labels,
        taints=tuple(dict.fromkeys(taints)),
        cores=thousandths(cpu) // 1000,
    )
