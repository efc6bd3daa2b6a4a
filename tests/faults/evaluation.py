"""What is wrong with a cell: judged by what Azure and the clusters hold at the end, not by text alone."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from tests.faults.cases import Baseline, Cell
from tests.faults.proxy import UUID
from tests.faults.stage import FaultStage, Run, World

# Hung responses are waited for until the read timeout, a few times.
LONGEST_SECONDS = 240
EXIT_CODES = (0, 1, 2, 3)
KILLED = -9
UNCHANGED, EXTENSION = "nothing was changed", "/Microsoft.KubernetesConfiguration/extensions/"
# The warning of a command that cannot delete what it has created for itself; the next one does, a day later.
LEFT_BEHIND = "Not deleted: namespace"
# The warning of a command that cannot keep what it replaces, and the name of what it would have kept.
KEEPS_NOTHING, KEPT = "is not kept", "/amlk8s-certificate-"
TRACEBACK = re.compile(r"Traceback \(most recent call last\)|unexpected error|CLIInternalError", re.IGNORECASE)
CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")


def evaluate(stage: FaultStage, cell: Cell, baseline: Baseline) -> list[str]:
    """What is wrong with a cell, in words; empty when all is right."""
    faults = [(cell.fault, cell.request), *([(cell.then, None)] if cell.then else [])]
    with stage.world(baseline.start, cell.command.files, cell.command.world) as world:
        run = world.az(cell.command.run, *faults)
        if KEEPS_NOTHING in run.err:  # the command said so, and goes on
            baseline = dataclasses.replace(baseline, after=_without_kept(baseline.after))
        wrong = [*_of_run(cell, run), *_of_success(cell, run, baseline, world)]
        if cell.command.cleans:
            world.let_a_day_pass()
        again = world.az(cell.command.run)
        wrong += _of_second_run(cell, again, baseline, world)
        wrong += _of_secrets(world, run)
    return [*wrong, f"stderr: {run.err[-800:]}"] if wrong else []


def _without_kept(state: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if KEPT not in name}


def _of_run(cell: Cell, run: Run) -> Iterator[str]:
    if cell.request and not run.met:
        yield "the request was not sent"
    signals = {fault.signal for fault in (cell.fault, cell.then) if fault}
    if signals == {"interrupt"}:
        yield from _of_interruption(cell, run)
    if "kill" in signals and run.code == KILLED:
        return
    if run.code not in EXIT_CODES:
        yield f"exit code {run.code}"
    if TRACEBACK.search(run.err):
        yield "a traceback"
    if CONTROL.search(run.err + run.out):
        yield "a character that a terminal executes"
    if run.seconds > LONGEST_SECONDS:
        yield f"{run.seconds:.0f} seconds"
    if run.foreign:
        yield f"requests to a foreign host: {run.foreign}"
    if run.code and not run.err.strip() and not run.out.strip():
        yield "no message"


def _of_interruption(cell: Cell, run: Run) -> Iterator[str]:
    """What Ctrl-C must do to a command on many clusters."""
    command = cell.command
    if command.continues and command.continues not in run.err and UNCHANGED not in run.err:
        yield "Ctrl-C, and no message that says how to continue"
    if command.starts is not None and cell.request in run.requests:
        after = run.requests[run.requests.index(cell.request) + 1 :]
        started = [
            cluster_id.path for cluster_id in after if cluster_id.kind == "write" and EXTENSION in cluster_id.path
        ]
        if len(started) > command.starts:
            yield f"Ctrl-C, and then {started}"
    if cell.fault.signals > 1 and run.code == 0:
        yield "exit code 0 after Ctrl-C was pressed twice"


def _of_success(cell: Cell, run: Run, baseline: Baseline, world: World) -> Iterator[str]:
    """What a first run has claimed, compared with what it has done."""
    kind = cell.request.kind if cell.request else "read"
    state = world.state()
    if cell.command.reads and state != baseline.before:
        yield f"a command that only reads has changed something: {difference(baseline.before, state)}"
    if kind in cell.fault.survives and not cell.then and run.code != baseline.code:
        yield f"exit code {run.code}; expected {baseline.code}, as without the fault"
    if kind in cell.fault.fails and run.code == 0:
        yield "exit code 0; expected a failure"
    if run.code != 0 or cell.is_signal:
        return
    if not cell.command.reads and LEFT_BEHIND not in run.err and state != baseline.after:
        yield f"exit code 0, but the end state is another: {difference(baseline.after, state)}"
    alters = cell.fault.alters or bool(cell.then and cell.then.alters)
    is_explained = "WARNING: " in run.err
    if cell.command.exact and not (alters or is_explained) and _comparable(run.out) != _comparable(baseline.out):
        yield f"exit code 0, but the output is another, without a warning: {run.out[:300]}"


def _of_second_run(cell: Cell, again: Run, baseline: Baseline, world: World) -> Iterator[str]:
    """The same command again, without a fault, must lead to where one undisturbed run leads."""
    state = world.state()
    expected = baseline.before if cell.command.reads else baseline.after
    if again.code not in {baseline.code, baseline.code_again}:
        yield f"the same command again ends in {again.code}: {again.err[-600:]}"
    elif state != expected:
        yield f"the same command again leads elsewhere: {difference(expected, state)}"
    elif cell.command.exact and _comparable(again.out) != _comparable(baseline.out):
        yield f"the output of the same command again is another: {again.out[:300]}"
    if TRACEBACK.search(again.err):
        yield f"a traceback of the same command again: {again.err[-600:]}"


def _of_secrets(world: World, run: Run) -> Iterator[str]:
    """Secrets in the streams of the first run, and in the files; the streams of the second run are files."""
    secrets = [form for secret in world.secrets() for form in _forms(secret)]
    for stream, text in (("stdout", run.out), ("stderr", run.err)):
        if any(secret in text for secret in secrets):
            yield f"a secret in {stream}"
    for file in world.files():
        if any(secret in text for text in _texts(file) for secret in secrets):
            yield f"a secret in {file.name}"


def _forms(secret: str) -> set[str]:
    """A secret as it is, percent-encoded, in JSON and HTML, and the part of it that base64 shows wherever it starts."""
    data = secret.encode()
    encoded = [base64.b64encode(bytes(before) + data).decode()[4:-4] for before in range(3)]
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], html.escape(secret), *encoded}


def _texts(file: Path) -> Iterator[str]:
    """The text of a file, or those of an archive."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            yield from (archive.read(name).decode(errors="replace") for name in archive.namelist())
    elif tarfile.is_tarfile(file):
        with tarfile.open(file) as archive:
            members = (archive.extractfile(member) for member in archive)
            yield from (member.read().decode(errors="replace") for member in members if member)
    else:
        yield file.read_text(encoding="utf-8", errors="replace")


def _comparable(out: str) -> str:
    return TIME.sub("", UUID.sub("", out))


def difference(expected: Mapping[str, object], found: Mapping[str, object]) -> str:
    """The entries of two states that differ."""
    names = sorted(key for key in {*expected, *found} if expected.get(key) != found.get(key))
    parts = [f"{name}: {json.dumps(expected.get(name))} -> {json.dumps(found.get(name))}" for name in names]
    return "; ".join(parts)[:1500]
