"""Threads that nothing waits for."""

from __future__ import annotations

import contextvars
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from azext_amlk8s.daemon_threads import DaemonPool, call_within

variable = contextvars.ContextVar("variable", default="")


def test_map_keeps_the_order_and_runs_in_parallel() -> None:
    barrier = threading.Barrier(4, timeout=10)

    def double(number: int) -> int:
        barrier.wait()
        return 2 * number

    with DaemonPool(4) as pool:
        assert pool.map(double, range(4)) == [0, 2, 4, 6]


def test_no_more_threads_than_workers_and_all_tasks_are_run() -> None:
    running: set[int] = set()
    most = []

    def work(number: int) -> int:
        running.add(number)
        most.append(len(running))
        time.sleep(0.01)
        running.discard(number)
        return number

    with DaemonPool(3) as pool:
        assert sorted(pool.map(work, range(20))) == list(range(20))
    assert max(most) <= 3


def test_map_raises_what_a_call_raised() -> None:
    with DaemonPool(2) as pool, pytest.raises(ZeroDivisionError):
        pool.map(lambda number: 1 // number, [1, 0])


def test_context_variables_of_the_caller_are_seen() -> None:
    variable.set("caller")
    with DaemonPool(1) as pool:
        assert pool.submit(variable.get).result() == "caller"
    assert call_within(10, variable.get) == "caller"


def test_closing_cancels_what_waits_and_does_not_wait_for_what_runs() -> None:
    release = threading.Event()
    with DaemonPool(1) as pool:
        pool.submit(release.wait)
        waiting = pool.submit(int)
    assert waiting.cancelled() or not waiting.done()
    release.set()


def test_a_call_that_takes_too_long_is_left() -> None:
    begin = time.monotonic()
    with pytest.raises(TimeoutError, match="no complete response within 0 seconds"):
        call_within(0.2, time.sleep, 30)
    assert time.monotonic() - begin < 5


def test_a_call_returns_and_raises_what_the_function_does() -> None:
    assert call_within(10, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call_within(10, divmod, 1, 0)


def test_a_thread_that_has_ended_its_call_runs_the_next_ones() -> None:
    threads = {call_within(10, threading.get_ident) for _ in range(50) if time.sleep(0.001) is None}
    assert len(threads) < 25


def test_the_process_ends_while_threads_run() -> None:
    script = """
        from azext_amlk8s.daemon_threads import DaemonPool
        import time
        pool = DaemonPool(2)
        pool.submit(time.sleep, 60)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, timeout=30)
