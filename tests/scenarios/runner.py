"""Scenarios: a world, a command, and what must come of it, as YAML that a person reads like a specification.

To add some, drop a file `tests/scenarios/SUBJECT-WHAT.yaml`; it is collected by its name, `pytest tests/scenarios/SUBJECT-WHAT.yaml -k words`
runs it. Each scenario has a world of its own, fresh, in a real sandbox over a real socket; the command runs in an az process
of its own (forked, see az_process.py), whose commands are those of the checkout.

    world: {...}                 # for all scenarios of the file: what differs from tests/scenarios/world.yaml
    scenarios:
      - name: two nodes are too few for three routers            # a sentence, unique in its file
        world: {clusters: [{name: aks, pools: [{name: one, count: 2}]}]}
        files: {settings.yaml: "enableTraining: true"}           # text, or what certificates.py makes (see there)
        given: [az amlk8s extension create ...]                  # run before, must end in 0; not judged
        run: az amlk8s extension validate --config enableTraining=True
        exit: 1                  # default 0
        findings: [F101]         # exactly these ids, in any order, in stdout's list of findings or as [ID] in stderr; default none
        says: [three nodes]      # words in stderr; default none
        prints: [Name, ext]      # words in stdout, such as those of a table; default none
        never: [s3cret]          # words that stand in neither stream, nor in the sandbox's record of what was sent
        returns: {"[0].fix": "..."}   # JMESPath into stdout -> value; a word `...` at the end of a string stands for any rest
        writes: [PUT extensions/azureml-extension]   # method and end of the path, in order; default NONE reached Azure or a cluster
        sent: {properties.version: null}   # JMESPath into the body of the last write to ARM -> value (secrets are blanked there)
        seconds: 0               # how long installing and attaching take; default 0
        stdin: "y\\n"            # default: empty, not a terminal
        contract: false          # the world holds an answer in a shape that no description has: its traffic is not part of `make contract`;
                                 # may stand beside `scenarios` for all of the file

A world is merged thus: mappings key by key; lists of things with a name thing by thing, key by key; all else is replaced. Resources that
stand on another one (an extension on a cluster, a lock) say so with `on`, see sandbox/README.md. Traces back are never right.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.stage import Stage
from tests.support import is_write

FINDING = re.compile(r"\[([A-Z]\d{3})\]")
ANY_REST = "..."


@dataclass(frozen=True)
class Scenario:
    """One scenario, as the module's docstring describes it."""

    name: str
    run: str
    world: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    exit: int = 0
    findings: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    prints: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    returns: Mapping[str, Any] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    sent: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0
    stdin: str = ""
    contract: bool = True


def read(file: Path) -> list[Scenario]:
    """The scenarios of a file, in its order. Raises TypeError for a key that there is not, ValueError for a name twice."""
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    found = [
        Scenario(
            **{
                "contract": told.get("contract", True),
                **one,
                "world": merged(told.get("world", {}), one.get("world", {})),
            }
        )
        for one in told["scenarios"]
    ]
    names = [one.name for one in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{file.name} tells twice: {', '.join(twice)}")
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A world with another laid over it."""
    return {**base, **{key: _laid(base.get(key), value) for key, value in over.items()}}


def _laid(base: Any, over: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return merged(base, over)
    if isinstance(base, list) and isinstance(over, list) and all("name" in one for one in [*base, *over]):
        there = {one["name"]: one for one in base}
        for one in over:
            there[one["name"]] = {**there.get(one["name"], {}), **one}
        return list(there.values())
    return over


def play(scenario: Scenario, stage: Stage, folder: Path) -> list[str]:
    """Play a scenario in an empty folder. Returns what came otherwise than told, as sentences; empty when all is right."""
    from tests.scenarios.certificates import write_files

    write_files(folder, scenario.files)
    with stage.set(scenario.world, folder, scenario.seconds, contract=scenario.contract) as scene:
        for command in scenario.given:
            said = scene.az(shlex.split(command)[1:], folder)
            if said.code:
                return [f"given: {command!r} ended in {said.code}: {said.err}"]
        before = len(scene.log())
        exchanged = len(scene.exchanges())
        said = scene.az(shlex.split(scenario.run)[1:], folder, stdin=scenario.stdin)
        writes = [line for line in scene.log()[before:] if is_write(line)]
        exchanges = scene.exchanges()[exchanged:]
    wrong = [*_of_streams(scenario, said), *_of_writes(scenario, writes), *_of_bodies(scenario, said.out, exchanges)]
    heard = said.out + said.err + json.dumps(exchanges)
    wrong += [f"{word!r} must never be said or sent in the open" for word in scenario.never if word in heard]
    return [*wrong, f"stdout: {said.out}", f"stderr: {said.err}"] if wrong else []


def _of_streams(scenario: Scenario, said: Any) -> list[str]:
    wrong = []
    if said.code != scenario.exit:
        wrong.append(f"exit code {said.code}, not {scenario.exit}")
    if "Traceback" in said.err:
        wrong.append("a traceback")
    found = _findings(said)
    if sorted(found) != sorted(scenario.findings):
        wrong.append(f"findings {sorted(found)}, not {sorted(scenario.findings)}")
    wrong += [f"stderr lacks {word!r}" for word in scenario.says if word not in said.err]
    return wrong + [f"stdout lacks {word!r}" for word in scenario.prints if word not in said.out]


def _findings(said: Any) -> set[str]:
    found = set(FINDING.findall(said.err))
    try:
        told = json.loads(said.out)
    except ValueError:
        return found
    listed = told if isinstance(told, list) else []
    return found | {one["id"] for one in listed if isinstance(one, dict) and {"id", "severity"} <= set(one)}


def _of_writes(scenario: Scenario, writes: list[dict[str, Any]]) -> list[str]:
    told = [tuple(one.split(" ", 1)) for one in scenario.writes]
    came = [(line["method"], line["path"]) for line in writes]
    fits = len(told) == len(came) and all(
        method == came_method and path.lower().endswith(end.lower())
        for (method, end), (came_method, path) in zip(told, came, strict=True)
    )
    return [] if fits else [f"writes {came}, not {list(scenario.writes)}"]


def _of_bodies(scenario: Scenario, out: str, exchanges: list[dict[str, Any]]) -> list[str]:
    wrong = []
    if scenario.returns:
        wrong += _compared("stdout", json.loads(out or "null"), scenario.returns)
    if scenario.sent:
        requests = [one["liveRequest"] for one in exchanges]
        bodies = [one.get("body") for one in requests if one["method"] in ("PUT", "PATCH", "POST")]
        wrong += _compared("sent", bodies[-1] if bodies else None, scenario.sent)
    return wrong


def _compared(where: str, value: Any, told: Mapping[str, Any]) -> list[str]:
    import jmespath

    wrong = []
    for path, wanted in told.items():
        found = jmespath.search(path, value)
        open_end = isinstance(wanted, str) and wanted.endswith(ANY_REST) and isinstance(found, str)
        if not (found.startswith(wanted[: -len(ANY_REST)]) if open_end else found == wanted):
            wrong.append(f"{where}: {path} is {found!r}, not {wanted!r}")
    return wrong
