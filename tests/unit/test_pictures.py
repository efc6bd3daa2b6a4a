"""Pictures open anywhere: they are SVG without scripts, and say what they show."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from azext_amlk8s.checks.node_chart import render_svg as capacity
from azext_amlk8s.instance_types.fit import fit
from azext_amlk8s.instance_types.fit_chart import png
from azext_amlk8s.instance_types.fit_chart import svg as types_by_places
from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.scheduling.nodes import nodes_from_objects
from azext_amlk8s.scheduling.placement import Placement

NODES = nodes_from_objects(
    [
        {
            "metadata": {"name": "<one>", "labels": {"agentpool": "pool"}},
            "status": {
                "allocatable": {"cpu": "4", "memory": "16Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
    ]
)
TYPE = InstanceType("small", {}, {"cpu": "1", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"})
FITS = fit([TYPE], NODES, Placement())


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (types_by_places(FITS), "small"),
        (types_by_places([]), "No instance types"),
        (capacity(NODES, "cpu"), "<one>"),
        (capacity([], "memory"), "No node"),
    ],
    ids=["types by places", "no types", "capacity", "no nodes"],
)
def test_a_picture(picture: str, word: str) -> None:
    assert "<script" not in picture
    assert word in "".join(ElementTree.fromstring(picture).itertext())


def test_the_same_as_png() -> None:
    assert png(types_by_places(FITS)).startswith(b"\x89PNG")
