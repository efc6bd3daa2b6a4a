"""Threads that never delay the end of the process: a pool for parallel reads, and calls with a time limit.

The threads of concurrent.futures are joined when the interpreter exits, so that Ctrl-C would wait for their requests.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout  # another class than TimeoutError before Python 3.11
from contextlib import suppress
from contextvars import copy_context
from importlib import import_module
from typing import Any, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")
# On Windows, Ctrl-C does not interrupt a wait.
TICK_SECONDS = 0.25


class _Threads:
    """Daemon threads, as many as are needed at the same time; a thread that has ended its task waits for another."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock, self._idle = threading.Lock(), 0

    def run(self, task: Callable[[], None]) -> None:
        """Call a function, which must not raise, in a thread."""
        with self._lock:
            if self._idle:
                self._idle -= 1
                self._tasks.put(task)
                return
        threading.Thread(target=self._work, args=(task,), daemon=True).start()

    def _work(self, task: Callable[[], None]) -> None:
        while True:
            task()
            del task  # it holds the result, such as a response
            with self._lock:
                self._idle += 1
            task = self._tasks.get()


_THREADS = _Threads()


def import_before_threads(*modules: str) -> None:
    """Import modules that threads need: two threads that enter a cycle of imports, such as azure-core's, deadlock.

    A package and its modules are such a cycle.
    """
    for module in modules:
        import_module(module)


class DaemonPool:
    """At most so many tasks at the same time; like ThreadPoolExecutor, but nothing waits for its threads."""

    def __init__(self, workers: int) -> None:
        self._workers, self._running = max(workers, 1), 0
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> DaemonPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def submit(self, function: Callable[..., T], *args: Any) -> Future[T]:
        """Call a function in one of the threads, with the context variables of the caller."""
        future: Future[T] = Future()
        context = copy_context()
        with self._lock:
            if self._closed:
                raise RuntimeError("the pool is closed")
            self._waiting.append((future, lambda: context.run(function, *args)))
            if self._running < self._workers:
                self._running += 1
                _THREADS.run(self._work)
        return future

    def map(self, function: Callable[[Item], T], items: Iterable[Item]) -> list[T]:
        """The results for the items, in their order. Raises what the first failed call raised."""
        futures = [self.submit(function, item) for item in items]
        return [future.result() for future in futures]

    def close(self) -> None:
        """Do not start what has not been started; what runs is not waited for."""
        with self._lock:
            self._closed = True
            for future, _ in self._waiting:
                future.cancel()
            self._waiting.clear()

    def _work(self) -> None:
        """Run tasks until none waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._running -= 1
                    return
                future, call = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                _complete(future, call)


def call_within(seconds: float, function: Callable[..., T], *args: Any) -> T:
    """The result of a function that is called in a thread. Raises TimeoutError after the seconds; the call goes on.

    Timeouts of sockets do not end a response that arrives byte by byte, the resolution of a name, or a sign-in.
    """
    future: Future[T] = Future()
    context = copy_context()
    _THREADS.run(lambda: _complete(future, lambda: context.run(function, *args)))
    end = time.monotonic() + seconds
    while not future.done():
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no complete response within {seconds:.0f} seconds")
        with suppress(FutureTimeout):
            future.exception(min(left, TICK_SECONDS))
    return future.result()


def _complete(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # pylint: disable=broad-exception-caught # whoever waits for it raises it
        future.set_exception(error)
    else:
        future.set_result(result)
