"""YAML of users, read with bounds: size, depth and the number of nodes after aliases are expanded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from yaml.nodes import Node

MAX_BYTES = 5_000_000
MAX_DEPTH = 100
MAX_NODES = 200_000
OPEN = (0, 0)
MERGE = "tag:yaml.org,2002:merge"


class YamlProblem(ValueError):
    """The text cannot be used as YAML; the message is a clause that says why."""


def compose_documents(text: str, max_nodes: int = MAX_NODES) -> list[Node]:
    """The root nodes of the documents of a YAML text; an empty document has none.

    Nothing is built: scalars keep the spelling of the text. Raises YamlProblem for text that is not YAML, that is
    nested more than MAX_DEPTH levels deep, that refers to itself, or that has more than max_nodes nodes once its
    aliases are expanded (https://en.wikipedia.org/wiki/Billion_laughs_attack).
    """
    import yaml

    if any("\ud800" <= character <= "\udfff" for character in text):
        raise YamlProblem("it is not valid UTF-8 text")
    if len(text) > MAX_BYTES:
        raise YamlProblem(f"it is larger than {MAX_BYTES // 1_000_000} MB")
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_events(yaml.parse(text, Loader=loader), max_nodes)
        nodes = list(yaml.compose_all(text, Loader=loader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None)
        raise YamlProblem(f"it is not valid YAML{where}{f': {problem}' if problem else ''}") from error
    sizes: dict[int, tuple[int, int]] = {}
    expanded = [_expanded_size(node, sizes) for node in nodes]
    if sum(size for size, _ in expanded) > max_nodes:
        raise YamlProblem(f"its aliases expand to more than {max_nodes} values")
    if max((depth for _, depth in expanded), default=0) > 2 * MAX_DEPTH:
        raise YamlProblem(f"its aliases are nested more than {2 * MAX_DEPTH} levels deep")
    return nodes


def load_document(text: str) -> Any:
    """The value of a text with one YAML document, None for an empty one. Raises YamlProblem, for several too."""
    import yaml

    nodes = compose_documents(text)
    if len(nodes) > 1:
        raise YamlProblem("it has several YAML documents")
    try:
        return yaml.SafeLoader("").construct_document(nodes[0]) if nodes else None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):  # such as a date with month 13
        raise YamlProblem("it has values that YAML cannot express") from None


def merged_pairs(node: Node) -> list[tuple[Node, Node]]:
    """The pairs of a mapping with those of its merge keys (<<) where it has no such key itself.

    https://yaml.org/type/merge.html. Raises YamlProblem for a merge key whose value is no mapping and no list of them.
    """
    import yaml

    own = [pair for pair in node.value if pair[0].tag != MERGE]
    taken: set[str | int] = {key.value for key, _ in own if isinstance(key, yaml.ScalarNode)}
    merged: list[tuple[Node, Node]] = []
    for _, value in (pair for pair in node.value if pair[0].tag == MERGE):
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(source, yaml.MappingNode):
                raise YamlProblem("the value of a merge key (<<) is not a mapping")
            for key, inner in merged_pairs(source):
                name = key.value if isinstance(key, yaml.ScalarNode) else id(key)
                if name not in taken:
                    taken.add(name)
                    merged.append((key, inner))
    return [*merged, *own]


def _check_events(events: Any, max_nodes: int) -> None:
    """Parsing yields events without recursion, so that depth is known before anything recursive runs."""
    import yaml

    depth = count = 0
    for event in events:
        if isinstance(event, yaml.events.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise YamlProblem(f"it is nested more than {MAX_DEPTH} levels deep")
        elif isinstance(event, yaml.events.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.events.NodeEvent):
            count += 1
            if count > max_nodes:
                raise YamlProblem(f"it has more than {max_nodes} values")


def _expanded_size(node: Node, sizes: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The number of nodes in a tree whose aliases are expanded, and its depth; sizes remembers complete nodes."""
    known = sizes.get(id(node))
    if known == OPEN:
        raise YamlProblem("it refers to itself")
    if known is None:
        sizes[id(node)] = OPEN
        inner = [_expanded_size(child, sizes) for child in _children(node)]
        known = sizes[id(node)] = (
            1 + sum(size for size, _ in inner),
            1 + max((depth for _, depth in inner), default=0),
        )
    return known


def _children(node: Node) -> list[Node]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []
