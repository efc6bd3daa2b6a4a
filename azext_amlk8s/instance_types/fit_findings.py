"""What `instance-type fit` returns, and the rules over where instance types fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from azext_amlk8s.instance_types.fit import REFUSED, Obstacles, PlaceFit, TypeFit
from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.instance_types.sources import TROUBLESHOOT
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Problem, Problems, Severity, rule
from azext_amlk8s.scheduling.amounts import GPU, describe_amount, format_amount
from azext_amlk8s.scheduling.nodes import Taint
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.reasons import Obstacle, Shortage
from azext_amlk8s.shell import join, quote

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
REFERENCE = "https://learn.microsoft.com/azure/machine-learning/reference-kubernetes"


@dataclass(frozen=True)
class Commands:
    """The options that name the cluster and its extension, quoted, for commands to paste.

    cluster is for `az amlk8s instance-type`, extension for `az amlk8s extension`, context for kubectl, each empty where
    it is unknown; credentials is the command that creates the context, where it may not exist yet.
    """

    cluster: str = ""
    extension: str = ""
    context: str = ""
    credentials: str = ""

    def update(self, *settings: str) -> str:
        """How to change settings of the extension."""
        pairs = join(settings)
        if self.extension:
            return f"az amlk8s extension update {self.extension} --config {pairs}"
        return f"Update the extension with: --config {pairs}"

    def smaller(self) -> str:
        """How to get types that fit."""
        return f"az amlk8s instance-type create --from-nodes --dry-run{_before(self.cluster)}"

    def kubectl(self, words: str) -> str:
        """A kubectl command for this cluster."""
        command = f"kubectl{_before(self.context)} {words}"
        return f"{self.credentials}\n{command}" if self.credentials else command


UNKNOWN_CLUSTER = Commands()


@rule(
    "N101",
    WARNING,
    title="Nodes for instance types",
    requires="A pod of an instance type must fit on a node.",
    source=TROUBLESHOOT,
    why="Workloads of the type stay pending.",
)
def fits_somewhere(fits: TypeFit, commands: Commands) -> Problems:
    """A type that no node can run and no autoscaler can help."""
    if fits.pods or fits.added:
        return
    if not fits.nearest:
        message = f"'{fits.name}' fits on no node: the cluster has no nodes."
        yield Problem(fits.name, message, fix=commands.kubectl("get nodes"))
        return
    reasons = "; ".join(obstacle.phrase for obstacle in fits.obstacles)
    yield Problem(
        fits.name,
        f"'{fits.name}' fits on no node. Closest is {fits.nearest}: it {reasons}.",
        expected="a Ready node with its labels, tolerated taints and enough resources",
        found=fits.nearest,
        fix=_resolve(fits, commands),
    )


@rule(
    "N102",
    WARNING,
    title="Jobs refused for their size",
    requires="The largest Ready node that a type may run on must hold its limits.",
    source=TROUBLESHOOT,
    why="The extension refuses larger jobs with Code 9 before they are scheduled, even if nodes could be added.",
)
def refused_for_size(fits: TypeFit, placement: Placement, commands: Commands) -> Problems:
    """A type whose jobs are, or may be, refused with Code 9."""
    if not fits.refused or not placement.sizes_checked:
        return
    verb = "will" if fits.refused == REFUSED else "may"
    message = (
        f"Jobs of '{fits.name}' {verb} be refused with Code 9: no Ready node that they may run on holds its limits."
    )
    if fits.added:
        message += " An autoscaler could add such a node if the size check were disabled."
    fix = commands.update("amloperator.skipResourceValidation=True") if fits.added else commands.smaller()
    yield Problem(fits.name, message, "a Ready node that holds the limits", "none", fix)


@rule(
    "N103",
    INFO,
    title="Scheduler and scale from zero",
    requires="For a type that waits for new nodes the scheduler must create pods beyond the present capacity.",
    source=REFERENCE,
    why="Volcano's plugins overcommit and proportion admit no job beyond the capacity of Ready nodes, so no pod is "
    "created and the autoscaler adds no node.",
)
def waits_for_new_nodes(fits: TypeFit, commands: Commands) -> Problems:
    """A type that runs only on nodes still to be added."""
    if fits.pods or not fits.added:
        return
    pools = " or ".join(place.place for place in fits.places if place.added)
    config_map = load("placement")["volcanoConfigMap"]
    lines = [
        "Save this as volcano-scheduler.yaml:",
        *(f"  {line}" for line in config_map["manifest"]),
        commands.kubectl("apply -f volcano-scheduler.yaml"),
        commands.update(f"volcanoScheduler.schedulerConfigMap={config_map['name']}"),
    ]
    message = (
        f"'{fits.name}' waits for new nodes of {pools}. Volcano's plugins overcommit and proportion can keep the "
        "autoscaler from adding them; a scheduler configuration without them resolves that."
    )
    yield Problem(fits.name, message, fix=_unique(lines))


@rule(
    "N104",
    ERROR,
    title="Node selectors of type and extension",
    requires="An instance type must not select another value of a label than the extension's nodeSelector.",
    source=TROUBLESHOOT,
    why="Both must match, and no node can have both values.",
)
def contradicting_selectors(types: Iterable[InstanceType], placement: Placement, commands: Commands) -> Problems:
    """Types whose selector contradicts the one that applies to all workloads."""
    for instance_type in types:
        for key, value in instance_type.node_selector.items():
            common = placement.node_selector.get(key, value)
            if common != value:
                message = (
                    f"'{instance_type.name}' selects {key}={value}, but the extension's nodeSelector is "
                    f"{key}={common}: no node has both."
                )
                setting = f"nodeSelector.{escape_label(key)}={value}"
                yield Problem(
                    instance_type.name, message, f"{key}={common}", f"{key}={value}", commands.update(setting)
                )


@rule(
    "N105",
    WARNING,
    title="Settings of the extension",
    requires="The extension's nodeSelector and workLoadToleration must be known.",
    source=TROUBLESHOOT,
)
def unknown_settings() -> Problems:
    """The extension's settings cannot be read."""
    message = "The extension's settings are unknown, so its nodeSelector and workLoadToleration are not considered."
    fix = "Name the cluster with --cluster-name and --resource-group, or give the settings with --config."
    yield Problem("extension", message, fix=fix)


@rule(
    "N106",
    WARNING,
    title="Pools without proposed types",
    requires="Workloads must be able to run on the nodes from which types are created.",
    source=TROUBLESHOOT,
)
def pools_left_out(places: Iterable[tuple[str, Obstacles]], commands: Commands) -> Problems:
    """Pools for which no type is proposed."""
    for place, obstacles in places:
        reasons = "; ".join(obstacle.phrase for obstacle in obstacles)
        message = f"No instance type is proposed for {place}: each node {reasons}."
        yield Problem(place, message, fix=_tolerate(obstacles, commands))


@rule(
    "N107",
    WARNING,
    title="Permission to list pods",
    requires="The pods of the cluster must be readable to know what is free.",
    source=TROUBLESHOOT,
)
def unknown_pods(reason: str, commands: Commands) -> Problems:
    """The pods cannot be listed, so that all nodes count as empty."""
    message = f"The pods of the cluster cannot be listed, so every node counts as empty: {reason}"
    yield Problem("pods", message, fix=commands.kubectl("auth can-i list pods --all-namespaces"))


@rule(
    "N108",
    WARNING,
    title="Free capacity",
    requires="A pod of an instance type should be able to run now.",
    source=TROUBLESHOOT,
    why="Workloads of the type wait until other pods end or nodes are added.",
)
def no_free_capacity(fits: TypeFit) -> Problems:
    """A type that fits, but of which no pod can run next to the pods that run now."""
    if fits.free or not fits.pods:
        return
    message = f"No pod of '{fits.name}' can run now: {describe_waiting(fits)}."
    severity = None
    if fits.added:
        message, severity = f"{message} An autoscaler may add nodes.", INFO
    yield Problem(fits.name, message, found="0", severity=severity)


def describe_waiting(fits: TypeFit) -> str:
    """Why no pod can run now: needs 4 CPU, at most 2.9 free on nodepool1."""
    places = [place for place in fits.places if place.waiting]
    if not places:
        return "no node has enough free resources"
    place = min(places, key=lambda place: len(place.waiting))
    lacking = place.waiting[0]
    free = format_amount(lacking.kind, lacking.available)
    return f"needs {describe_amount(lacking.kind, lacking.requested)}, at most {free} free on {place.place}"


def evaluate_fit(fits: Sequence[TypeFit], placement: Placement, commands: Commands = UNKNOWN_CLUSTER) -> list[Finding]:
    """The findings of the rules over where each type fits."""
    findings: list[Finding] = []
    for fit in fits:
        findings += fits_somewhere(fit, commands)
        findings += refused_for_size(fit, placement, commands)
        findings += waits_for_new_nodes(fit, commands)
        findings += no_free_capacity(fit)
    return findings


def fit_views(fits: Iterable[TypeFit], placement: Placement) -> list[dict[str, Any]]:
    """What fit returns for each type: numbers of pods, the places with their nodes, and why there is none.

    refused is "yes", "possible" or null; null too where the extension does not check sizes.
    """
    return [
        {
            "name": fit.name,
            "fits": bool(fit.pods or fit.added),
            "pods": fit.pods,
            "podsFreeNow": fit.free,
            "podsAfterScaleOut": fit.pods + fit.added,
            "refused": (placement.sizes_checked and fit.refused) or None,
            "nearestNode": fit.nearest or None,
            "reasons": _reasons(fit.obstacles),
            "places": [_place_view(place) for place in fit.places],
        }
        for fit in fits
    ]


def escape_label(label: str) -> str:
    """A label in the name of a setting: Helm reads a bare dot as a step down."""
    return label.replace(".", "\\.")


def _place_view(place: PlaceFit) -> dict[str, Any]:
    return {
        "place": place.place,
        "nodes": list(place.nodes),
        "pods": place.pods,
        "podsFreeNow": place.free,
        "podsAfterScaleOut": place.pods + place.added,
        "reasons": _reasons(place.obstacles or place.waiting),
    }


def _reasons(obstacles: Iterable[Obstacle | Shortage]) -> list[dict[str, str]]:
    """Each obstacle with its kind (state, os, arch, taint, selector, or a resource) and a sentence."""
    return [{"kind": obstacle.kind, "message": f"It {obstacle.phrase}."} for obstacle in obstacles]


def _resolve(fits: TypeFit, commands: Commands) -> str:
    """A line for each kind of obstacle of the nearest node."""
    kinds = {obstacle.kind for obstacle in fits.obstacles}
    lines = [_tolerate(fits.obstacles, commands)]
    if "selector" in kinds:
        show = f"az amlk8s instance-type show -n {quote(fits.name)}{_before(commands.cluster)} --query nodeSelector"
        lines += [show, commands.kubectl("get nodes --show-labels")]
    if GPU in kinds:
        lines.append("If the nodes have GPUs, install the device plugin:")
        lines.append(commands.update("installNvidiaDevicePlugin=True"))
    if kinds - {"state", "os", "arch", "taint", "selector", GPU}:
        lines.append(commands.smaller())
    return _unique(lines)


def _tolerate(obstacles: Iterable[Obstacle | Shortage], commands: Commands) -> str:
    """The command that lets workloads run on nodes with these taints; empty for none."""
    taints = [obstacle.taint for obstacle in obstacles if obstacle.taint]
    settings = [setting for number, taint in enumerate(taints) for setting in _toleration(number, taint)]
    return commands.update(*settings) if settings else ""


def _toleration(number: int, taint: Taint) -> list[str]:
    parts = {"key": taint.key, "operator": "Equal" if taint.value else "Exists", "effect": taint.effect}
    if taint.value:
        parts["value"] = taint.value
    return [f"workLoadToleration[{number}].{part}={value}" for part, value in parts.items()]


def _unique(lines: Iterable[str]) -> str:
    """Lines without empty and repeated ones."""
    return "\n".join(dict.fromkeys(line for text in lines for line in text.split("\n") if line))


def _before(options: str) -> str:
    return f" {options}" if options else ""
