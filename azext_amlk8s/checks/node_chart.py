"""A chart of the nodes: how much of each its pods request, and how much is free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from azext_amlk8s.instance_types.fit_chart import FONTS, drawn
from azext_amlk8s.scheduling.amounts import format_amount
from azext_amlk8s.scheduling.nodes import Node

PARTS = (("DaemonSets", "#90a4ae"), ("other pods", "#64b5f6"), ("free", "#c8e6c9"))
TITLES = {
    "cpu": "Requested CPU, in percent of allocatable",
    "memory": "Requested memory, in percent of allocatable",
}
MAX_NODES = 60  # more bars are not legible


def render_svg(nodes: Sequence[Node], resource: str) -> str:
    """The chart of cpu or memory as SVG without scripts; of a large cluster the fullest nodes."""
    import pygal
    from pygal.style import Style

    shown_nodes = sorted(nodes, key=lambda node: -_percent(node, resource))[:MAX_NODES]
    chart: Any = pygal.HorizontalStackedBar(
        style=Style(
            background="white",
            plot_background="white",
            font_family=FONTS,
            title_font_size=15,
            label_font_size=12,
            value_font_size=11,
            legend_font_size=12,
            colors=tuple(colour for _, colour in PARTS),
            opacity="1",
        ),
        js=[],
        title=TITLES[resource],
        no_data_text="No nodes",
        range=(0, 100),
        legend_at_bottom=True,
        print_values=True,
        print_zeroes=False,
        width=900,
        height=130 + 26 * max(len(shown_nodes), 2),
        truncate_label=40,
        explicit_size=True,
        disable_xml_declaration=True,
    )
    # pygal draws the first bar at the bottom.
    order = list(reversed(shown_nodes))
    chart.x_labels = [f"{node.name} ({node.state})" if node.state else node.name for node in order]
    for number, (title, _) in enumerate(PARTS):
        chart.add(title, [_cell(_parts(node, resource)[number], node, resource) for node in order])
    return drawn(chart)


def _parts(node: Node, resource: str) -> tuple[int, int, int]:
    """What DaemonSets request, what other pods request, and what is free, in thousandths."""
    whole, used = node.allocatable.get(resource, 0), node.used.get(resource, 0)
    kept = min(node.overhead.get(resource, 0), used)
    return kept, used - kept, max(whole - used, 0)


def _percent(node: Node, resource: str) -> float:
    whole = node.allocatable.get(resource, 0)
    return 100 * node.used.get(resource, 0) / whole if whole else 100.0


def _cell(part: int, node: Node, resource: str) -> dict[str, Any]:
    whole = node.allocatable.get(resource, 0) or 1
    text = format_amount(resource, part) if part * 12 > whole else ""
    return {
        "value": min(100 * part / whole, 100),
        "formatter": lambda _value, text=text: text,
        "label": format_amount(resource, part),
    }
