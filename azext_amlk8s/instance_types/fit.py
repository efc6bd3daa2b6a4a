"""Which nodes can run a pod of an instance type, how many at once, and why not (field guide compute 3.4, 3.6, 8).

Nodes that no selector, taint or state tells apart are one gate, and those of a gate that have the same room one shape:
what is asked of each type is asked of gates and shapes, not of nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import mul

from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.scheduling.amounts import Amounts, amounts
from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.placement import Placement
from azext_amlk8s.scheduling.reasons import Obstacle, Shortage, placement_obstacles, selector_obstacles

LONE_NODES = 60  # so many nodes without a pool are told one by one, more of them together
OTHERS = "nodes without a pool"
Selector = frozenset[tuple[str, str]]
Room = tuple[tuple[str, int], ...]
Obstacles = tuple[Obstacle | Shortage, ...]
EXPECTED, POSSIBLE = "expected", "possible"


@dataclass(frozen=True, slots=True)
class PlaceFit:
    """A pool (or a lone node) and one type: pods it holds when empty of workloads, now, and on nodes still to come.

    nodes are those that are there and can run a pod; obstacles say why there is none.
    """

    place: str
    nodes: tuple[str, ...] = ()
    pods: int = 0
    free: int = 0
    grown: int = 0
    obstacles: Obstacles = ()


@dataclass(frozen=True, slots=True)
class TypeFit:
    """One type in the whole cluster.

    Where it fits nowhere, nearest names the node that comes closest and obstacles say what is against it. code_nine
    says whether jobs of this type are refused before they are scheduled: expected, possible, or nothing.
    """

    name: str
    places: tuple[PlaceFit, ...]
    nearest: str = ""
    obstacles: Obstacles = ()
    code_nine: str = ""

    @property
    def pods(self) -> int:
        """Pods at once on the nodes that are there, were no other workload on them."""
        return sum(one.pods for one in self.places)

    @property
    def free(self) -> int:
        """Pods at once beside all that runs now."""
        return sum(one.free for one in self.places)

    @property
    def grown(self) -> int:
        """Further pods on nodes that autoscalers may add."""
        return sum(one.grown for one in self.places)


class _Rooms:
    """What several nodes have left, those with the same amounts together: counts says how many each stands for."""

    def __init__(self, rooms: Mapping[Room, int]) -> None:
        told = [dict(one) for one in rooms]
        self._columns = {key: [room.get(key, 0) for room in told] for key in {key for room in told for key in room}}
        self.counts = list(rooms.values())
        self._made: dict[tuple[tuple[str, int], ...], list[int]] = {}

    def pods(self, asked: Room) -> list[int]:
        """How many pods each holds; what types have in common, from the front of asked, is reckoned once."""
        made = self._made.get(asked)
        if made is None:
            key, need = asked[-1]
            rooms = self._columns.get(key) or [0] * len(self.counts)
            if len(asked) > 1:
                before = self.pods(asked[:-1])
                made = [one if one * need <= room else room // need for one, room in zip(before, rooms, strict=True)]
            else:
                made = [room // need for room in rooms]
            self._made[asked] = made
        return made

    def total(self, asked: Room) -> int:
        """How many pods all of them hold."""
        return sum(map(mul, self.pods(asked), self.counts))


class _Gate:
    """Nodes that let the same types pass: of one place, with the same taints, state, and labels that are asked for."""

    def __init__(self, place: str, nodes: Sequence[Node], labels: Selector, placement: Placement) -> None:
        self.place, self.sample, self.labels = place, nodes[0], labels
        self.closed = placement_obstacles(nodes[0], placement)
        self._names = [node.name for node in nodes]
        self._shapes: dict[Room, list[Node]] = {}
        frees: dict[Room, int] = {}
        for node in nodes:
            self._shapes.setdefault(_left(node.allocatable, node.overhead), []).append(node)
            free = _left(node.allocatable, node.used)
            frees[free] = frees.get(free, 0) + node.count
        self.empty = _Rooms({room: sum(node.count for node in told) for room, told in self._shapes.items()})
        self.now = _Rooms(frees)
        self._largest = [(dict(room), self._shapes[room][0]) for room in _undominated(self._shapes)]

    def holds(self, asked: Room) -> bool:
        """Whether any node holds one pod."""
        return any(all(room.get(key, 0) >= need for key, need in asked) for room, _ in self._largest)

    def able(self, asked: Room) -> list[str]:
        """The names of the nodes that hold a pod."""
        each = self.empty.pods(asked)
        if all(each):
            return self._names
        shapes = self._shapes.values()
        return [node.name for count, nodes in zip(each, shapes, strict=True) if count for node in nodes]

    def closest(self, asked: Room) -> tuple[int, float, Node, Obstacles]:
        """The node that comes closest in size: how many resources it lacks, how far off it is, and what it lacks.

        A node that another one surpasses in every resource never is the closest, and is not looked at.
        """
        ranked = []
        for room, node in self._largest:
            lacking = [(key, room.get(key, 0), need) for key, need in asked if room.get(key, 0) < need]
            ranked.append((len(lacking), sum(1 - has / need for _, has, need in lacking), node, lacking))
        count, missing, node, lacking = min(ranked, key=lambda one: one[:2])
        return (
            count,
            missing,
            node,
            tuple(Shortage(key, has, need, node.overhead.get(key, 0)) for key, has, need in lacking),
        )


def fit(types: Iterable[InstanceType], nodes: Iterable[Node], placement: Placement) -> list[TypeFit]:
    """Measure every type against every node, those that autoscalers may add (exists False) among them."""
    types = list(types)
    cluster = _Cluster(list(nodes), types, placement)
    return [cluster.measure(one) for one in types]


def requests_of(one: InstanceType) -> Room:
    """What the scheduler reckons for a pod of the type, in thousandths: a limit counts where no request is told."""
    return _asked({**amounts(one.limits, up=True), **amounts(one.requests, up=True)})


def limits_of(one: InstanceType) -> Room:
    """The same for the limits: a request counts where no limit is told."""
    return _asked({**amounts(one.requests, up=True), **amounts(one.limits, up=True)})


def _asked(told: Amounts) -> Room:
    # What all types ask alike comes first, memory, which differs most, last: see _Rooms.pods.
    found = {"pods": 1000, **{key: value for key, value in told.items() if value > 0}}
    return tuple(sorted(found.items(), key=lambda item: (item[0] == "memory", item[0] != "pods", item[0])))


class _Cluster:
    """The nodes, gathered for the selectors of the types that are measured."""

    def __init__(self, nodes: Sequence[Node], types: Sequence[InstanceType], placement: Placement) -> None:
        self._common = frozenset(placement.node_selector.items())
        keys = {key for one in types for key in one.node_selector} | set(placement.node_selector)
        lone = sum(not node.pool for node in nodes)
        told: dict[tuple[str, Selector, object], list[Node]] = {}
        for node in nodes:
            place = node.pool or (node.name if lone <= LONE_NODES else OTHERS)
            labels = frozenset((key, node.labels[key]) for key in keys if key in node.labels)
            apart = (node.taints, node.os, node.state, node.exists)
            told.setdefault((place, labels, apart), []).append(node)
        self._gates = [_Gate(place, alike, labels, placement) for (place, labels, _), alike in told.items()]
        self._places: dict[str, list[_Gate]] = {}
        for gate in self._gates:
            self._places.setdefault(gate.place, []).append(gate)
        # Of a place that is closed to a type, the gate with the least against it speaks.
        self._speakers = {place: min(told, key=lambda gate: len(gate.closed)) for place, told in self._places.items()}
        self._open: dict[Selector, dict[str, list[_Gate]]] = {}

    def measure(self, one: InstanceType) -> TypeFit:
        """One type against all places."""
        asked, selector = requests_of(one), self._common | frozenset(one.node_selector.items())
        doors = self._doors(selector)
        places = tuple(self._place(place, doors.get(place, ()), selector, asked) for place in self._places)
        made = TypeFit(one.name, places)
        if made.pods and self._holds_limits(one, doors):
            return made
        code_nine = POSSIBLE if made.pods or self._larger_node(asked) else EXPECTED
        if made.pods or made.grown:
            return TypeFit(one.name, places, code_nine=code_nine)
        name, obstacles = self._nearest(selector, asked)
        return TypeFit(one.name, places, name, obstacles, code_nine if code_nine == EXPECTED else "")

    def _doors(self, selector: Selector) -> dict[str, list[_Gate]]:
        """The gates by place that are open to a selector."""
        if selector not in self._open:
            found: dict[str, list[_Gate]] = {}
            for gate in self._gates:
                if not gate.closed and selector <= gate.labels:
                    found.setdefault(gate.place, []).append(gate)
            self._open[selector] = found
        return self._open[selector]

    def _place(self, place: str, gates: Sequence[_Gate], selector: Selector, asked: Room) -> PlaceFit:
        names: list[str] = []
        pods = free = grown = 0
        for gate in gates:
            if not gate.holds(asked):
                continue
            if gate.sample.exists:
                pods += gate.empty.total(asked)
                free += gate.now.total(asked)
                names += gate.able(asked)
            else:
                grown += gate.empty.total(asked)
        if pods or grown:
            return PlaceFit(place, tuple(names), pods, free, grown)
        if not gates:
            speaker = self._speakers[place]
            return PlaceFit(place, obstacles=(*speaker.closed, *selector_obstacles(speaker.sample, selector)))
        closest = min((gate.closest(asked) for gate in gates), key=lambda one: one[:2])
        return PlaceFit(place, obstacles=closest[3])

    def _holds_limits(self, one: InstanceType, doors: Mapping[str, Sequence[_Gate]]) -> bool:
        asked = limits_of(one)
        return any(gate.holds(asked) for gates in doors.values() for gate in gates if gate.sample.exists)

    def _larger_node(self, asked: Room) -> bool:
        """Whether any Ready node is as large as what is asked, be it meant for such pods or not."""
        ready = (gate for gate in self._gates if gate.sample.exists and not gate.sample.state)
        return any(gate.holds(asked) for gate in ready)

    def _nearest(self, selector: Selector, asked: Room) -> tuple[str, Obstacles]:
        """The node with the fewest obstacles, of these the one that is least too small."""
        found: list[tuple[int, float, str, Obstacles]] = []
        for gate in self._gates:
            shut = (*gate.closed, *selector_obstacles(gate.sample, selector))
            count, missing, node, small = gate.closest(asked)
            found.append((len(shut) + count, missing, node.name, (*shut, *small)))
        return min(found, key=lambda one: one[:2], default=(0, 0.0, "", ()))[2:]


def _left(allocatable: Amounts, taken: Amounts) -> tuple[tuple[str, int], ...]:
    return tuple((key, max(value - taken.get(key, 0), 0)) for key, value in allocatable.items())


def _undominated(rooms: Iterable[Room]) -> list[Room]:
    """The rooms that no other one surpasses or equals in every resource: whatever fits anywhere fits one of these."""
    kept: list[Room] = []
    for room in sorted(rooms, key=lambda one: sum(value for _, value in one), reverse=True):
        has = dict(room)
        if not any(all(dict(other).get(key, 0) >= value for key, value in has.items()) for other in kept):
            kept.append(room)
    return kept
