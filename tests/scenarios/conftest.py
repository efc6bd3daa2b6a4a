"""Collects the YAML files of this folder as tests; runner.py explains how to write them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sandbox.kubernetes.node_agent import can_run_containers
from tests.scenarios.runner import Scenario, read, run_scenario
from tests.scenarios.stage import Stage

STAGE = pytest.StashKey[Stage]()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Every YAML file but the world is a file of scenarios."""
    if file_path.suffix == ".yaml" and file_path.name != "world.yaml":
        return ScenarioFile.from_parent(parent, path=file_path)
    return None


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterable[pytest.Item]:
        for scenario in read(self.path):
            yield ScenarioItem.from_parent(self, name=scenario.name, scenario=scenario)


class ScenarioFailed(Exception):
    """A scenario differs from what it expects."""


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, **options: Any) -> None:
        super().__init__(**options)
        self._scenario = scenario

    def runtest(self) -> None:
        temporary = self.config._tmp_path_factory  # type: ignore[attr-defined]
        if (
            any("network" in cluster for cluster in self._scenario.world.get("clusters", ()))
            and not can_run_containers()
        ):
            pytest.skip("this machine does not allow network namespaces")
        if STAGE not in self.config.stash:
            stage = self.config.stash[STAGE] = Stage(temporary.mktemp("stage"))
            self.config.add_cleanup(stage.end)
        if differences := run_scenario(self._scenario, self.config.stash[STAGE], temporary.mktemp("scenario")):
            raise ScenarioFailed("\n".join(differences))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        if isinstance(excinfo.value, ScenarioFailed):
            return f"{self._scenario.run}\n{excinfo.value}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> Any:
        return self.path, None, self.name
