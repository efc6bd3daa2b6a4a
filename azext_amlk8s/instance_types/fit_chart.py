"""A picture of a fit: types by places, a dot as large as the number of pods, or a word for what is in the way."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from azext_amlk8s.instance_types.fit import PlaceFit, TypeFit

THERE, TO_COME, NOTHING = "#81c784", "#ffd54f", "#b0bec5"
MIDDLE = ".value { text-anchor: middle }"
ROW, COLUMN, MARGIN = 38, 96, 330
WORDS = {"nvidia.com/gpu": "GPU", "selector": "label", "state": "off"}
# pygal leaves one behind even where it is told to use none.
SCRIPT = re.compile(r"<script.*?</script>", re.S)
FONTS = "DejaVu Sans, Liberation Sans, Arial, Helvetica, sans-serif"


def svg(fits: Sequence[TypeFit]) -> str:
    """The picture as SVG without scripts. Raises ModuleNotFoundError where pygal is not installed."""
    import pygal
    from pygal.style import Style

    places = [place.place for place in fits[0].places] if fits else []
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
        css=["file://style.css", "file://graph.css", f"inline:{MIDDLE}"],
        show_y_guides=False,
        show_x_guides=False,
        show_legend=False,
        print_values=True,
        no_data_text="There are no instance types.",
        title="How many pods of each instance type run at once",
        x_title="Green: on nodes that are there. Yellow: on nodes that an autoscaler may add. A word: what hinders.",
        width=MARGIN + COLUMN * max(len(places), 5),
        height=200 + ROW * max(len(fits), 2),
        x_label_rotation=35,
        truncate_label=28,
        explicit_size=True,
        margin=24,
    )
    chart.x_labels = places
    most = max((_pods(place) for one in fits for place in one.places), default=0)
    for one in fits:
        chart.add(one.name, [_cell(place, most) for place in one.places])
    return drawn(chart)


def drawn(chart: Any) -> str:
    """A chart of pygal as SVG without scripts."""
    return SCRIPT.sub("", str(chart.render(is_unicode=True)))


def png(picture: str) -> bytes:
    """The same as PNG, twice as large for sharpness. Raises ModuleNotFoundError where resvg_py is not installed."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2, background="white"))


def _pods(place: PlaceFit) -> int:
    return place.pods + place.added


def _cell(place: PlaceFit, most: int) -> dict[str, Any]:
    """A dot that grows with the root of the pods, and never so small that its number does not stand on it."""
    pods = _pods(place)
    text = str(place.pods) if place.pods else ""
    text += f" +{place.added}" if place.added else ""
    if not pods:
        kinds = dict.fromkeys(WORDS.get(obstacle.kind, obstacle.kind) for obstacle in place.obstacles)
        text = ", ".join([*kinds][:2]) + (", …" if len(kinds) > 2 else "")
    colour = THERE if place.pods else TO_COME if pods else NOTHING
    size = 0.4 + 0.6 * (pods / most) ** 0.5 if pods else 0
    return {"value": size, "color": colour, "formatter": lambda _value, text=text: text, "label": text}
