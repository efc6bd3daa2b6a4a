"""What is said of a fit: the objects that are returned, and findings with what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from azext_amlk8s.instance_types.fit import EXPECTED, PlaceFit, TypeFit
from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.scheduling.nodes import Taint
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.reasons import Obstacle

TROUBLESHOOT = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"
UPDATE = "az amlk8s extension update -g GROUP -c CLUSTER -t TYPE -n NAME --config"
N101 = Rule("N101", Severity.WARNING, "A pod of an instance type fits a node.", TROUBLESHOOT)
N102 = Rule("N102", Severity.WARNING, "The largest Ready node that a type may run on holds its limits.", TROUBLESHOOT)
N103 = Rule("N103", Severity.INFO, "A type that waits for new nodes is not held back by the scheduler.", TROUBLESHOOT)
N104 = Rule("N104", Severity.ERROR, "A type and the extension ask for the same value of a label.", TROUBLESHOOT)
N105 = Rule("N105", Severity.WARNING, "The extension's nodeSelector and tolerations are known.", TROUBLESHOOT)
N106 = Rule("N106", Severity.WARNING, "Workloads may go to the nodes of which types are to be made.", TROUBLESHOOT)
N107 = Rule("N107", Severity.WARNING, "The pods of the cluster may be read.", TROUBLESHOOT)
SMALLER = "az amlk8s instance-type create --from-nodes --dry-run"
LIFT = f"{UPDATE} amloperator.skipResourceValidation=True"


def views(fits: Iterable[TypeFit]) -> list[dict[str, Any]]:
    """What fit returns for each type: counts of pods, the places with their nodes, and why there is none."""
    return [_view(one) for one in fits]


def _view(one: TypeFit) -> dict[str, Any]:
    return {
        "name": one.name,
        "fits": bool(one.pods or one.grown),
        "pods": one.pods,
        "podsNow": one.free,
        "podsByScaleOut": one.grown,
        "codeNine": one.code_nine or None,
        "nearestNode": one.nearest or None,
        "reasons": reasons(one.obstacles),
        "places": [_place_view(place) for place in one.places],
    }


def _place_view(one: PlaceFit) -> dict[str, Any]:
    return {
        "place": one.place,
        "nodes": list(one.nodes),
        "pods": one.pods,
        "podsNow": one.free,
        "podsByScaleOut": one.grown,
        "reasons": reasons(one.obstacles),
    }


def reasons(obstacles: Iterable[Any]) -> list[dict[str, str]]:
    """Each obstacle with its kind (state, os, taint, selector, or a resource) and a sentence about the node."""
    return [{"kind": one.kind, "message": f"It {one.phrase}."} for one in obstacles]


def judge_fit(fits: Sequence[TypeFit], placement: Placement, *, severity: Severity = Severity.WARNING) -> list[Finding]:
    """The findings over all types: those that fit nowhere, and those whose jobs end with Code 9."""
    found = []
    for one in fits:
        if not one.pods and not one.grown:
            found.append(_fits_nowhere(one, severity))
        if one.code_nine and placement.sizes_checked:
            found.append(_code_nine(one, severity if one.code_nine == EXPECTED else Severity.WARNING))
        if one.grown and not one.pods:
            found.append(_scales_out(one))
    return found


def judge_selectors(types: Iterable[InstanceType], placement: Placement) -> list[Finding]:
    """Types whose selector contradicts the one that the extension lays on all workloads: both must match."""
    return [
        N104.finding(
            one.name,
            f"The instance type {one.name} asks for nodes with {key}={value}, and the extension's nodeSelector for "
            f"{key}={placement.node_selector[key]}: no node can have both.",
            required=f"{key}={placement.node_selector[key]}",
            found=f"{key}={value}",
            fix=f"{UPDATE} {setting_key(key)}={value}",
        )
        for one in types
        for key, value in one.node_selector.items()
        if key in placement.node_selector and placement.node_selector[key] != value
    ]


def setting_key(label: str) -> str:
    """The extension's setting for a label; Helm reads a bare dot as a step down."""
    return "'nodeSelector." + label.replace(".", "\\.") + "'" if "." in label else f"nodeSelector.{label}"


def unknown_placement() -> Finding:
    """What to say where the extension's settings cannot be seen."""
    return N105.finding(
        "extension",
        "The extension's settings are not known here, so its nodeSelector and workLoadToleration are not counted.",
        fix="--cluster-name CLUSTER --resource-group GROUP   # or --config with the extension's settings",
    )


def unknown_pods(why: str) -> Finding:
    """What to say where the pods cannot be listed, so that nodes are taken to be empty."""
    return N107.finding(
        "pods",
        f"The pods of the cluster could not be listed, so every node counts as empty: {why}",
        fix="kubectl auth can-i list pods --all-namespaces",
    )


def _fits_nowhere(one: TypeFit, severity: Severity) -> Finding:
    if not one.nearest:
        message = f"The instance type {one.name} fits no node: the cluster has none."
        return replace(N101.finding(one.name, message, fix="kubectl get nodes"), severity=severity)
    why = ", and it ".join(obstacle.phrase for obstacle in one.obstacles)
    made = N101.finding(
        one.name,
        f"The instance type {one.name} fits no node. The nearest, {one.nearest}, {why}.",
        required="a node that is Ready, has the labels, is tolerated and is large enough",
        found=one.nearest,
        fix=_remedy(one),
    )
    return replace(made, severity=severity)


def _remedy(one: TypeFit) -> str:
    """A command for each kind of thing that is in the way of the nearest node, one a line."""
    taints = [obstacle.taint for obstacle in one.obstacles if obstacle.taint]
    kinds = {obstacle.kind for obstacle in one.obstacles}
    lines = [tolerate(taints)] if taints else []
    if "selector" in kinds:
        lines.append(
            f"az amlk8s instance-type show -n {one.name} --query nodeSelector; kubectl get nodes --show-labels"
        )
    if "nvidia.com/gpu" in kinds:
        lines.append(f"{UPDATE} installNvidiaDevicePlugin=True   # where the nodes have GPUs that they do not offer")
    if kinds - {"state", "os", "taint", "selector", "nvidia.com/gpu"}:
        lines.append(SMALLER)
    return "\n".join(lines)


def judge_left_out(places: Iterable[tuple[str, Sequence[Obstacle]]]) -> list[Finding]:
    """What to say of pools of which no type is proposed, because workloads may not go to their nodes."""
    return [
        N106.finding(
            place,
            f"No type is made of {place}: its nodes {', and '.join(one.phrase for one in obstacles)}.",
            fix=tolerate([one.taint for one in obstacles if one.taint]),
        )
        for place, obstacles in places
    ]


def tolerate(taints: Sequence[Taint]) -> str:
    """The command that lets workloads go to nodes with these taints; nothing for none."""
    words = " ".join(_toleration(number, taint) for number, taint in enumerate(taints))
    return f"{UPDATE} {words}" if taints else ""


def _toleration(number: int, taint: Taint) -> str:
    words = {"key": taint.key, "operator": "Equal" if taint.value else "Exists", "effect": taint.effect}
    if taint.value:
        words["value"] = taint.value
    return " ".join(f"'workLoadToleration[{number}].{part}={word}'" for part, word in words.items())


def _code_nine(one: TypeFit, severity: Severity) -> Finding:
    verb = "will be" if one.code_nine == EXPECTED else "may be"
    lifts = bool(one.grown)
    advice = (
        " An autoscaler could bring such a node, if the check of sizes were switched off."
        if lifts
        else " Take a smaller type, or larger nodes."
    )
    made = N102.finding(
        one.name,
        f"Jobs of the instance type {one.name} {verb} refused with Code 9: it is larger than the largest Ready node "
        f"that it may run on.{advice}",
        required="a Ready node that holds the limits of the type",
        found="none",
        fix=LIFT if lifts else SMALLER,
    )
    return replace(made, severity=severity)


def _scales_out(one: TypeFit) -> Finding:
    pools = [place.place for place in one.places if place.grown]
    return N103.finding(
        one.name,
        f"The instance type {one.name} waits for new nodes of {' or '.join(pools)}; Volcano's gang scheduling can keep "
        "an autoscaler from bringing them.",
        fix=f"{UPDATE} volcanoScheduler.schedulerConfigMap=CONFIG_MAP   # a scheduler without the gang plugin",
    )
