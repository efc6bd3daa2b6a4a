"""A chart of a fit: types by places, each cell with the pods that can run now and in all, or with every obstacle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from azext_amlk8s.instance_types.fit import PlaceFit, TypeFit
from azext_amlk8s.scheduling.amounts import resource_name

NOW, LATER, SCALE_OUT, NEVER = "#81c784", "#ffb74d", "#fff176", "#cfd8dc"
LEGEND = (
    "Pods that can run now of all that fit. Green: some can run now. Orange: none until running pods end.\n"
    "Yellow (+): on nodes that an autoscaler adds. Grey: none, with everything that prevents it."
)
CENTRED = ".value { text-anchor: middle }"
ROW, MIN_COLUMN, CHARACTER, LABELS = 38, 110, 7.2, 12
OBSTACLES = {"selector": "label", "os": "OS", "arch": "architecture", "state": "not ready"}
SCRIPT = re.compile(r"<script.*?</script>", re.S)  # pygal leaves one even without js
FONTS = "DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif"


def svg(fits: Sequence[TypeFit]) -> str:
    """The chart as SVG without scripts. Raises ModuleNotFoundError where pygal is not installed."""
    import pygal
    from pygal.style import Style

    places = [place.place for place in fits[0].places] if fits else []
    texts = [_text(place) for fit in fits for place in fit.places]
    column = max([MIN_COLUMN, *(int(len(text) * CHARACTER) + LABELS for text in texts)])
    names = max((len(fit.name) for fit in fits), default=0)
    style = Style(
        background="white",
        plot_background="white",
        foreground="#37474f",
        foreground_strong="#263238",
        font_family=FONTS,
        title_font_size=15,
        label_font_size=13,
        major_label_font_size=13,
        value_font_size=12,
        value_colors=("#000000",) * max(len(fits), 1),
        opacity="1",
    )
    chart: Any = pygal.Dot(
        style=style,
        js=[],
        css=["file://style.css", "file://graph.css", f"inline:{CENTRED}"],
        show_y_guides=False,
        show_x_guides=False,
        show_legend=False,
        print_values=True,
        no_data_text="No instance types",
        title="Pods of each instance type",
        x_title=LEGEND,
        width=int(names * CHARACTER) + 120 + max(column * len(places), 640),
        height=240 + ROW * max(len(fits), 2),
        x_label_rotation=25,
        truncate_label=40,
        explicit_size=True,
        margin=24,
    )
    chart.x_labels = places
    most = max((place.pods + place.added for fit in fits for place in fit.places), default=0)
    for fit in fits:
        chart.add(fit.name, [_cell(place, most) for place in fit.places])
    return drawn(chart)


def drawn(chart: Any) -> str:
    """A chart of pygal as SVG without scripts."""
    return SCRIPT.sub("", str(chart.render(is_unicode=True)))


def png(picture: str) -> bytes:
    """The same as PNG, twice as large for sharpness. Raises ModuleNotFoundError where resvg_py is not installed."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2, background="white"))


def _text(place: PlaceFit) -> str:
    """2 of 12, 2 of 12 +6, +6, or the names of all obstacles."""
    if place.pods or place.added:
        existing = f"{place.free} of {place.pods}" if place.pods else ""
        return f"{existing} +{place.added}".strip() if place.added else existing
    names = (OBSTACLES.get(obstacle.kind) or resource_name(obstacle.kind) for obstacle in place.obstacles)
    return ", ".join(dict.fromkeys(names))


def _cell(place: PlaceFit, most: int) -> dict[str, Any]:
    """A dot whose area grows with the pods, never too small for its text."""
    pods, text = place.pods + place.added, _text(place)
    colour = NOW if place.free else LATER if place.pods else SCALE_OUT if pods else NEVER
    size = 0.4 + 0.6 * (pods / most) ** 0.5 if pods else 0
    return {"value": size, "color": colour, "formatter": lambda _value, text=text: text, "label": text}
