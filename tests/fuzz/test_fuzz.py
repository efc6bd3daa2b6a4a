"""A part of `make fuzz`, always the same inputs."""

from __future__ import annotations

import pytest

from tests.fuzz.run import fuzz
from tests.fuzz.targets import TARGET_NAMES

INPUTS = 2_000


@pytest.mark.parametrize("name", TARGET_NAMES)
def test_inputs_raise_nothing_and_take_no_time(name: str) -> None:
    outcome = fuzz(name, -(-INPUTS // len(TARGET_NAMES)), seed=0)
    # The memory of a process that has run other tests says nothing about a target.
    outcome.megabytes = 0
    assert outcome.problems == []
    assert outcome.inputs > 0
