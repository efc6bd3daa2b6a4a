"""Long-running operations, which end by themselves."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.azure.errors import ArmError

log = logging.getLogger(__name__)
TICKS_AT_1970 = 621_355_968_000_000_000


def new_signature() -> dict[str, str]:
    """The signature of an operation's URL: ticks, a certificate of some 2.9 kB, and two hashes."""
    ticks = TICKS_AT_1970 + time.time_ns() // 100
    return {
        "t": str(ticks),
        "c": secrets.token_urlsafe(2175),
        "s": secrets.token_urlsafe(256),
        "h": secrets.token_hex(22),
    }


@dataclass
class Running:
    """An operation: word is its status while it runs, error that at the end; accepted: polls get HTTP 202."""

    id: str
    word: str
    error: dict[str, Any] | None = None
    done: bool = False
    accepted: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)
    signature: dict[str, str] = field(default_factory=new_signature, repr=False)

    @property
    def status(self) -> str:
        """The status in the response to a poll."""
        if not self.done:
            return self.word
        return "Failed" if self.error else "Succeeded"


class OperationFailed(Exception):
    """Raised by the work of an operation to end it in Failed with this ARM error."""

    def __init__(self, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **more}


class Operations:
    """All operations since the start."""

    def __init__(self) -> None:
        self._all: dict[str, Running] = {}

    @staticmethod
    def new_id() -> str:
        """A new GUID."""
        return str(uuid.uuid4())

    def start(self, word: str, work: Callable[[], Awaitable[None]], *, accepted: bool = False) -> Running:
        """Run the work in the background under a new id."""
        operation = Running(str(uuid.uuid4()), word, accepted=accepted)
        self._all[operation.id] = operation

        async def run() -> None:
            try:
                await work()
            except OperationFailed as failure:
                operation.error = failure.error
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.exception("operation %s", operation.id)
                operation.error = {"code": "InternalServerError", "message": f"{type(error).__name__}: {error}"}
            operation.done = True

        operation.task = asyncio.get_running_loop().create_task(run())
        return operation

    def get(self, operation_id: str) -> Running:
        """The operation. Raises ArmError 404."""
        try:
            return self._all[operation_id.lower().split("*")[0]]
        except KeyError:
            raise ArmError(
                404, "ResourceNotFound", f"The operation '{operation_id}' was not found.", cause=None
            ) from None

    async def stop(self) -> None:
        """Cancel the running operations."""
        tasks = [operation.task for operation in self._all.values() if operation.task and not operation.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
