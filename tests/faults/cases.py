"""What the matrix consists of: commands, faults, and the cells that combine them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.faults.proxy import Fault, Request
from tests.faults.rewrites import OF_ARM
from tests.faults.stage import FaultStage, Snapshot
from tests.faults.surroundings import OF_VAULTS

FOLDER = Path(__file__).parent
# How many requests of the same method and path are places of their own; how often a poll repeats depends on time.
MOST_REPEATED = {"read": 2, "write": 2, "poll": 1}
# Each fault meets this many of the reads and of the polls of a command, always the same, and each of its writes.
PLACES_PER_FAULT = 1


@dataclass(frozen=True)
class Command:
    """A command of commands.yaml. given: the commands before it; files: files in its folder; world: what differs from
    the base world.

    reads is true for one that writes nothing; exact for one whose output must be complete or missing. meets: whether
    only signals, only faults at key vaults, or also pairs of faults are tried with it. every: also requests that repeat
    others, polls apart. starts: how many extensions it may create or update after the first Ctrl-C, none for any
    number; continues: what its message must then say, unless nothing was changed. cleans: what it leaves behind where
    it was killed, or could not delete, is removed when it runs again a day later.
    """

    name: str
    run: str
    given: tuple[str, ...] = ()
    files: Mapping[str, str] | None = None
    world: Mapping[str, Any] | None = None
    reads: bool = False
    exact: bool = False
    meets: str = "faults"
    every: bool = False
    starts: int | None = None
    continues: str = ""
    cleans: bool = False


@dataclass(frozen=True)
class Baseline:
    """An undisturbed run: the state before and after it, its requests, its exit code, that of the same command again."""

    start: Snapshot
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    requests: tuple[Request, ...]
    code: int
    code_again: int
    out: str


@dataclass(frozen=True)
class Cell:
    """One fault at one request of one command, or around all of it; then: a fault at the next request after that."""

    command: Command
    fault: Fault
    request: Request | None
    then: Fault | None = None

    @property
    def name(self) -> str:
        """The cell in one line, which stays the same while the command sends the same requests."""
        at = self.request.name if self.request else "whole command"
        then = f", then {self.then.name}" if self.then else ""
        return f"{self.command.name} | {at} | {self.fault.name}{then}"

    @property
    def is_signal(self) -> bool:
        """Whether the process is interrupted or killed."""
        return bool(self.fault.signal)


def read_commands() -> list[Command]:
    """The commands of commands.yaml."""
    entries = yaml.safe_load((FOLDER / "commands.yaml").read_text(encoding="utf-8"))["commands"]
    return [Command(**{**entry, "given": tuple(entry.get("given", ()))}) for entry in entries]


def read_faults() -> tuple[list[Fault], list[str]]:
    """The faults of faults.yaml, and the names of those that are combined in pairs."""
    content = yaml.safe_load((FOLDER / "faults.yaml").read_text(encoding="utf-8"))
    tuples = ("kinds", "methods", "survives", "fails")
    faults = [
        Fault(**{key: tuple(value) if key in tuples else value for key, value in fault.items()})
        for fault in content["faults"]
    ]
    return faults, content["pairs"]


def measure(stage: FaultStage, command: Command) -> Baseline:
    """Run a command undisturbed, and again. Raises RuntimeError if it fails."""
    with stage.world(files=command.files, changes=command.world) as world:
        for given in command.given:
            if (run := world.az(given)).code:
                raise RuntimeError(f"{given} fails without a fault: {run.err}")
        start, before = world.snapshot(), world.state()
        run = world.az(command.run)
        if run.code not in ((0, 1) if command.reads else (0,)):
            raise RuntimeError(f"{command.name} fails without a fault: {run.err}")
        after = world.state()
        return Baseline(start, before, after, run.requests, run.code, world.az(command.run).code, run.out)


def cells_of(command: Command, baseline: Baseline, faults: Sequence[Fault]) -> Iterator[Cell]:
    """The cells of a command: each fault with requests that it fits, and each signal with every request."""
    requests = [
        sent for sent in baseline.requests
        if sent.number <= MOST_REPEATED[sent.kind] or (command.every and sent.kind != "poll")
    ]  # fmt: skip
    if "--no-wait" in command.run:  # whether it polls before it ends depends on the time
        requests = [sent for sent in requests if sent.kind != "poll"]
    if command.meets == "vault":
        requests = [sent for sent in requests if sent.side == "vault"]
    written = _read_after_writing(baseline.requests)
    for fault in faults:
        if command.meets == "signals" and not fault.signal:
            continue
        if fault.surroundings in OF_VAULTS and command.meets != "vault":
            continue
        if fault.surroundings or fault.side == "login":
            yield Cell(command, fault, None)
            continue
        fitting = [sent for sent in requests if _fits(fault, sent, written)]
        if fault.signal:
            yield from (Cell(command, fault, sent) for sent in fitting if not command.reads)
            continue
        for kind in ("read", "poll", "write"):
            chosen = [sent for sent in fitting if sent.kind == kind]
            if kind != "write" and not fault.first:
                chosen = by_hash(chosen, lambda sent, salt=fault.name: command.name + salt + sent.name)[
                    :PLACES_PER_FAULT
                ]
            for request in chosen[:1] if fault.first else chosen:
                yield Cell(command, fault, request)


def pairs_of(command: Command, baseline: Baseline, faults: Sequence[Fault], names: Iterable[str]) -> Iterator[Cell]:
    """Each pair of the named faults: one at the first write, the other at the next request after it."""
    known = {fault.name: fault for fault in faults}
    first = next((request for request in baseline.requests if request.kind == "write"), None)
    pairs = [(known[name], known[other]) for name in names for other in names]
    for fault, then in pairs:
        if first and command.meets == "pairs" and first.side == fault.side == then.side:
            yield Cell(command, fault, first, then)


def by_hash(items: Iterable[Any], name: Any) -> list[Any]:
    """The items in an order that depends on their names alone, whatever other items there are."""
    return sorted(items, key=lambda item: hashlib.sha256(name(item).encode()).digest())


def _read_after_writing(requests: Sequence[Request]) -> set[str]:
    """The names of the requests that read a resource after it was written."""
    writes: set[str] = set()
    reads: set[str] = set()
    for request in requests:
        if request.kind == "write":
            writes.add(request.path)
        elif request.path in writes:
            reads.add(request.name)
    return reads


def _fits(fault: Fault, request: Request, written: set[str]) -> bool:
    sides = ("azure", "vault") if fault.side == "azure" and not OF_ARM.search(fault.rewrite) else (fault.side,)
    return (
        request.side in sides
        and request.kind in fault.kinds
        and (not fault.methods or request.method in fault.methods)
        and (fault.written is None or fault.written == (request.kind == "read" and request.name in written))
    )
