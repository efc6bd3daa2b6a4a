"""Which nodes can run a pod of an instance type, how many at once, and why others cannot.

Every type is held against every node. Nodes of one place that no label, taint or state distinguishes are a group, so
that what does not depend on size is evaluated once for each group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.scheduling.amounts import Amounts, amounts, subtract
from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.reasons import (
    Obstacle,
    Shortage,
    placement_obstacles,
    selector_obstacles,
    shortages,
)

MAX_SINGLE_NODES = 60  # up to so many nodes without a pool are places of their own
OTHER_NODES = "nodes without a pool"
REFUSED, POSSIBLE = "yes", "possible"
Selector = frozenset[tuple[str, str]]
Obstacles = tuple[Obstacle | Shortage, ...]


@dataclass(frozen=True, slots=True)
class PlaceFit:
    """One type in a pool, or on a node without a pool.

    pods run at once next to the pods of system namespaces, free next to all pods that run now, added on nodes that
    an autoscaler may add. nodes are existing nodes that can run a pod. obstacles say why there is none; waiting why
    none can run now, of the node that is closest.
    """

    place: str
    nodes: tuple[str, ...] = ()
    pods: int = 0
    free: int = 0
    added: int = 0
    obstacles: Obstacles = ()
    waiting: tuple[Shortage, ...] = ()


@dataclass(frozen=True, slots=True)
class TypeFit:
    """One type in the whole cluster.

    Where it fits nowhere, nearest is the node that comes closest, and obstacles say why it cannot run a pod. refused
    says whether the extension refuses jobs of the type because no node is large enough (Code 9): yes, possible, or
    empty.
    """

    name: str
    requests: Amounts
    places: tuple[PlaceFit, ...]
    nearest: str = ""
    obstacles: Obstacles = ()
    refused: str = ""

    @property
    def pods(self) -> int:
        """Pods at once on existing nodes, if no other workload runs on them."""
        return sum(place.pods for place in self.places)

    @property
    def free(self) -> int:
        """Pods at once next to all pods that run now."""
        return sum(place.free for place in self.places)

    @property
    def added(self) -> int:
        """Further pods on nodes that autoscalers may add."""
        return sum(place.added for place in self.places)


def fit(types: Iterable[InstanceType], nodes: Iterable[Node], placement: Placement) -> list[TypeFit]:
    """Hold every type against every node; nodes that autoscalers may add have exists False."""
    types = list(types)
    cluster = _Cluster(list(nodes), types, placement)
    return [cluster.fit(instance_type) for instance_type in types]


def pod_requests(instance_type: InstanceType) -> dict[str, int]:
    """What the scheduler counts for a pod of the type, in thousandths; a limit counts where there is no request."""
    return _needs({**amounts(instance_type.limits, up=True), **amounts(instance_type.requests, up=True)})


def pod_limits(instance_type: InstanceType) -> dict[str, int]:
    """The limits of a pod of the type; a request counts where there is no limit."""
    return _needs({**amounts(instance_type.requests, up=True), **amounts(instance_type.limits, up=True)})


def _needs(values: Amounts) -> dict[str, int]:
    return {"pods": 1000, **{key: value for key, value in values.items() if value > 0}}


class _Columns:
    """Amounts of several nodes, a list for each resource."""

    def __init__(self, rows: Sequence[Amounts]) -> None:
        self._rows = len(rows)
        self._columns = {key: [row.get(key, 0) for row in rows] for key in {key for row in rows for key in row}}

    def pods(self, needs: Amounts) -> list[int]:
        """How many pods with these needs each node holds."""
        counts: list[int] | None = None
        for key, need in needs.items():
            column = self._columns.get(key)
            if column is None:
                return [0] * self._rows
            if counts is None:
                counts = [value // need for value in column]
            else:
                counts = [
                    count if count * need <= value else value // need
                    for count, value in zip(counts, column, strict=True)
                ]
        return counts or [0] * self._rows

    def closest(self, needs: Amounts) -> int:
        """The index of the node that lacks the fewest resources, and of these the least."""
        columns = [(need, self._columns.get(key) or [0] * self._rows) for key, need in needs.items()]
        missing = [0.0] * self._rows
        for need, column in columns:
            missing = [
                total if value >= need else total + 2 - value / need
                for total, value in zip(missing, column, strict=True)
            ]
        return min(range(self._rows), key=missing.__getitem__)


class _Group:
    """Nodes of one place with the same taints and state, and the same values of the labels that types select by."""

    def __init__(self, place: str, nodes: Sequence[Node], labels: Selector, placement: Placement) -> None:
        self.place, self.nodes, self.sample, self.labels = place, nodes, nodes[0], labels
        self.closed = placement_obstacles(nodes[0], placement)
        self._most = max(nodes, key=lambda node: node.capacity.get("cpu", 0))
        self.capacity = _Columns([node.capacity for node in nodes])
        self.free = _Columns([node.free for node in nodes])
        distinct = {tuple(sorted(subtract(node.allocatable, node.overhead).items())) for node in nodes}
        self.size = _Columns([dict(items) for items in distinct])

    def holds(self, needs: Amounts) -> bool:
        """Whether any node is large enough, next to the pods of DaemonSets."""
        return any(self.size.pods(needs))

    def lacks(self, needs: Amounts) -> tuple[Shortage, ...]:
        """What the node with the most CPU lacks; nothing where its amounts are unknown."""
        return shortages(self._most.capacity, needs, self._most.resident) if self._most.allocatable else ()

    def closest(self, needs: Amounts) -> tuple[Node, tuple[Shortage, ...]]:
        """The node that is closest to hold a pod, and what it lacks."""
        node = self.nodes[self.capacity.closest(needs)]
        return node, shortages(node.capacity, needs, node.resident)

    def waiting(self, needs: Amounts) -> tuple[Shortage, ...]:
        """What the node lacks now that is closest to have a pod free, of those large enough."""
        able = [node for node, pods in zip(self.nodes, self.capacity.pods(needs), strict=True) if pods]
        closest = able[_Columns([node.free for node in able]).closest(needs)]
        return shortages(closest.free, needs, closest.used, "running pods")


class _Cluster:
    """The nodes of a cluster in groups, for the selectors of the types that are measured."""

    def __init__(self, nodes: Sequence[Node], types: Sequence[InstanceType], placement: Placement) -> None:
        self._common = frozenset(placement.node_selector.items())
        keys = {key for instance_type in types for key in instance_type.node_selector} | set(placement.node_selector)
        single = sum(not node.pool for node in nodes) <= MAX_SINGLE_NODES
        alike: dict[tuple[str, Selector, object], list[Node]] = {}
        for node in nodes:
            place = node.place if node.pool or single else OTHER_NODES
            labels = frozenset((key, node.labels[key]) for key in keys if key in node.labels)
            kind = (node.taints, node.os, node.arch, node.state, node.exists)
            alike.setdefault((place, labels, kind), []).append(node)
        self._groups = [_Group(place, members, labels, placement) for (place, labels, _), members in alike.items()]
        self._places: dict[str, list[_Group]] = {}
        for group in self._groups:
            self._places.setdefault(group.place, []).append(group)

    def fit(self, instance_type: InstanceType) -> TypeFit:
        """One type in all places."""
        needs, selector = pod_requests(instance_type), self._common | frozenset(instance_type.node_selector.items())
        places = tuple(self._place(place, groups, selector, needs) for place, groups in self._places.items())
        fits = TypeFit(instance_type.name, needs, places)
        refused = self._refused(instance_type, selector, needs, bool(fits.pods))
        if fits.pods or fits.added:
            return TypeFit(instance_type.name, needs, places, refused=refused)
        name, obstacles = self._nearest(selector, needs)
        return TypeFit(instance_type.name, needs, places, name, obstacles, refused if refused == REFUSED else "")

    def _refused(self, instance_type: InstanceType, selector: Selector, needs: Amounts, runs: bool) -> str:
        existing = [group for group in self._groups if group.sample.exists and not group.sample.state]
        limits = pod_limits(instance_type)
        if any(selector <= group.labels and not group.closed and group.holds(limits) for group in existing):
            return ""
        return POSSIBLE if runs or any(group.holds(needs) for group in existing) else REFUSED

    def _place(self, place: str, groups: Sequence[_Group], selector: Selector, needs: Amounts) -> PlaceFit:
        open_groups = [group for group in groups if not group.closed and selector <= group.labels]
        if not open_groups:
            closest = min(((*self._obstacles(group, selector), *group.lacks(needs)) for group in groups), key=len)
            return PlaceFit(place, obstacles=closest)
        names: list[str] = []
        pods = free = added = 0
        for group in open_groups:
            pods_by_node = group.capacity.pods(needs)
            if group.sample.exists:
                pods += sum(pods_by_node)
                free += sum(group.free.pods(needs))
                names += [node.name for node, count in zip(group.nodes, pods_by_node, strict=True) if count]
            else:
                added += sum(count * node.count for node, count in zip(group.nodes, pods_by_node, strict=True))
        if not (pods or added):
            return PlaceFit(place, obstacles=min((open_group.closest(needs)[1] for open_group in open_groups), key=len))
        able = [
            open_group
            for open_group in open_groups
            if open_group.sample.exists and any(open_group.capacity.pods(needs))
        ]
        waiting = min((group.waiting(needs) for group in able), key=len) if pods and not free else ()
        return PlaceFit(place, tuple(names), pods, free, added, waiting=waiting)

    def _obstacles(self, group: _Group, selector: Selector) -> Obstacles:
        return (*group.closed, *selector_obstacles(group.sample, selector))

    def _nearest(self, selector: Selector, needs: Amounts) -> tuple[str, Obstacles]:
        """The node with the fewest obstacles; of several the one that is least too small."""
        ranked: list[tuple[int, float, str, Obstacles]] = []
        for group in self._groups:
            node, lacking = group.closest(needs)
            obstacles = (*self._obstacles(group, selector), *lacking)
            missing = sum(1 - shortage.available / shortage.requested for shortage in lacking)
            ranked.append((len(obstacles), missing, node.name, obstacles))
        return min(ranked, key=lambda entry: entry[:2], default=(0, 0.0, "", ()))[2:]


def fits_now(fits: Mapping[str, TypeFit], pods: int, like: TypeFit) -> str:
    """The name of a type of which so many pods can run now: the one whose size is closest to another type's.

    Only types with as many kinds of resources count, so that a job for GPUs gets one with GPUs. Empty for none.
    """

    def distance(candidate: TypeFit) -> float:
        return sum(abs(1 - candidate.requests.get(key, 0) / need) for key, need in like.requests.items())

    able = [
        type_fit
        for type_fit in fits.values()
        if type_fit.free >= pods and type_fit.requests.keys() >= like.requests.keys()
    ]
    return min(able, key=distance).name if able else ""
