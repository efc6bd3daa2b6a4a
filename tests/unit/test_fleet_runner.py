"""Work on many clusters: parallel, limits of failures, Ctrl-C; and the reports of it."""

from __future__ import annotations

import _thread
import itertools
import re
import signal
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from azext_amlk8s.console.progress import duration_in_words
from azext_amlk8s.operations.fleet_runner import FleetRunner
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.setup_files.outcomes import Outcome, as_junit, failed_clusters, outcomes_object

CLI = SimpleNamespace(
    cli_ctx=SimpleNamespace(config=SimpleNamespace(getboolean=lambda *_, **__: False), only_show_errors=False)
)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """SIGINT interrupts, also where the tests were started in the background with the signal ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def runner(total: int, work: Any, **clock: Any) -> FleetRunner[int, int]:
    cmd: Any = CLI
    return FleetRunner(cmd, total, work, lambda result: result < 0, str, "az amlk8s apply -f x.yaml", **clock)


def test_items_run_in_parallel_up_to_the_limit() -> None:
    active, most, lock = 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.05)
        with lock:
            active -= 1
        return item

    assert sorted(runner(12, work).run(range(12), 4, None)) == list(range(12))
    assert 2 <= most <= 4


def test_no_other_item_is_started_after_the_limit_of_failures() -> None:
    started: list[int] = []

    def work(item: int) -> int:
        started.append(item)
        return -1

    fleet = runner(10, work)
    assert fleet.run(range(10), 1, 1) == [-1, -1]
    assert started == [0, 1]
    assert fleet.stopped


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_starts_no_other_item_and_waits_for_those_that_run(capsys: pytest.CaptureFixture[str]) -> None:
    def work(item: int) -> int:
        if item == 0:
            _thread.interrupt_main()
        time.sleep(0.3)
        return item

    assert runner(10, work).run(range(10), 1, None) == [0]
    assert "To continue later: az amlk8s apply -f x.yaml" in capsys.readouterr().err


@pytest.mark.usefixtures("ctrl_c")
def test_a_second_ctrl_c_ends_the_command() -> None:
    from azure.cli.core.azclierror import ManualInterrupt

    def work(item: int) -> int:
        for _ in range(2):
            _thread.interrupt_main()
            time.sleep(0.4)
        time.sleep(5)
        return item

    begin = time.monotonic()
    with pytest.raises(ManualInterrupt):
        runner(3, work).run(range(3), 1, None)
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize(("step", "between"), [(20, 60), (45, 90), (150, 150)])
def test_without_a_terminal_a_line_is_printed_each_minute(
    step: int, between: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clock is read once at the start, and once whenever the progress may be shown; each time it is step later."""
    runner(30, abs, clock=itertools.count(1000, step).__next__).run(range(30), 3, None)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) >= 30 * step // between
    for number, line in enumerate(lines, 1):
        assert re.match(r"\d+ of 30 done, 0 failed, \d+ waiting; ", line)
        assert line.endswith(f"; {duration_in_words(number * between)} so far")


def test_a_fleet_that_ends_within_a_minute_prints_no_counts(capsys: pytest.CaptureFixture[str]) -> None:
    runner(30, abs, clock=lambda: 0.0).run(range(30), 3, None)
    assert capsys.readouterr().err == ""


def outcome(name: str, status: str) -> Outcome:
    return Outcome("edge", ClusterRef("s", "g", "managedClusters", name), status, "no <quota>")


def test_the_clusters_that_failed_are_read_from_a_report_of_either_form() -> None:
    import json

    report = outcomes_object([outcome("a", "succeeded"), outcome("B", "failed"), outcome("c", "not started")])
    expected = {cluster["id"].lower() for cluster in report["clusters"][1:]}
    assert failed_clusters(json.dumps(report)) == failed_clusters(as_junit(report)) == expected
    assert 'tests="3"' in as_junit(report) and "no &lt;quota&gt;" in as_junit(report)


@pytest.mark.parametrize("text", ["", "[]", "<a", '{"clusters": [1]}'])
def test_something_else_is_no_report(text: str) -> None:
    with pytest.raises(ValueError, match="not a report"):
        failed_clusters(text)
