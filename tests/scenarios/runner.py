"""Scenarios: a world, a command and its expected results, as YAML that reads like a specification.

To add some, create a file `tests/scenarios/SUBJECT-WHAT.yaml`; it is collected by its name. `pytest
tests/scenarios/SUBJECT-WHAT.yaml -k words` runs it. Each scenario has its own fresh world in a real sandbox over a real
socket; the command runs in its own az process (forked, see az_process.py), with the commands of the checkout.

    world: {...}                 # for all scenarios of the file: differences from tests/scenarios/world.yaml
    scenarios:
      - name: two nodes are too few for three routers            # a sentence, unique in its file
        world: {clusters: [{name: aks, pools: [{name: one, count: 2}]}]}
        files: {settings.yaml: "enableTraining: true"}           # text, or what certificates.py creates (see there)
        setup: [az amlk8s extension create ...]                  # run before, must succeed; not checked otherwise; az or kubectl,
                                 # or `arm METHOD PATH [BODY]` as somebody else; PATH is below the providers of group ml-rg
        run: az amlk8s extension validate --config enableTraining=True
        exit: 1                  # default 0
        findings: [F101]         # exactly these IDs, in any order, in the findings on stdout or as [ID] on stderr; default none
        stderr: [three nodes]    # texts on stderr; default none
        stdout: [Name, ext]      # texts on stdout, such as those of a table; default none
        never: [s3cret]          # texts that appear in neither stream, nor in the sandbox's record of what was sent
        returns: {"[0].fix": "..."}   # JMESPath into stdout -> value; `...` at the end of a string stands for any rest
        writes: [PUT extensions/azureml-extension]   # method and end of the path (* for any name), in order; default: NO write to Azure or a cluster.
                                 # The ConfigMap amlk8s-*, in which a setup records what it owns, counts only where a scenario names one
        sent: {properties.version: null}   # JMESPath into the body of the last write to ARM -> value (secrets are blanked)
        not_sent: [sslCertPemFile]   # settings of `run` that the request lacks or has otherwise; it must have all others
        requests: {GET secrets/fe: 1}   # method and end of the path (* for anything) -> how often it is requested, of anybody
        at_most: 20              # number of requests to ARM; default: no limit
        seconds: 0               # how long installing and attaching take; default 0
        within: 10               # the command ends within so many seconds; default: no limit
        stdin: "y\\n"            # default: empty, not a terminal
        contract: false          # a response of the world has a shape that no description has: its traffic is not part of
                                 # `make contract`; may also be beside `scenarios`, for the whole file

A world is merged thus: mappings key by key; lists of things with a name thing by thing, key by key; everything else is
replaced. Extension resources (an extension of a cluster, a lock) have a `scope`, see sandbox/README.md. A traceback is
never right, nor is a finding that is printed twice, except by a report that is repeated while a command waits.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.scenarios.sent_settings import missing_settings
from tests.scenarios.stage import Scene, Stage
from tests.support import Output, is_write

FINDING = re.compile(r"\[([A-Z]\d{3})\]")
REPEATED = ", next check in "
ANY_REST = "..."
RECORD = "configmaps/amlk8s-"
SETTLED_SECONDS = 10.0
ARM_VERSIONS = {
    "/roleAssignments/": "2022-04-01", "/extensions/": "2025-03-01", "/computes/": "2024-10-01",
}  # fmt: skip


@dataclass(frozen=True)
class Scenario:
    """A scenario; the module's docstring explains its fields."""

    name: str
    run: str
    world: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    exit: int = 0
    findings: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    stdout: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    returns: Mapping[str, Any] = field(default_factory=dict)
    writes: tuple[str, ...] = ()
    sent: Mapping[str, Any] = field(default_factory=dict)
    not_sent: tuple[str, ...] = ()
    requests: Mapping[str, int] = field(default_factory=dict)
    at_most: int = 0
    seconds: float = 0
    within: float = 0
    stdin: str = ""
    contract: bool = True


def read(file: Path) -> list[Scenario]:
    """The scenarios of a file, in its order. Raises TypeError for an unknown key, ValueError for a duplicate name."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    defaults = {"contract": content.get("contract", True)}
    scenarios = []
    for entry in content["scenarios"]:
        world = merged(content.get("world", {}), entry.get("world", {}))
        scenarios.append(Scenario(**{**defaults, **entry, "world": world}))
    names = [scenario.name for scenario in scenarios]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{file.name}: duplicate names: {', '.join(duplicates)}")
    return scenarios


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A world with another merged into it."""
    return {**base, **{key: _merged_value(base.get(key), value) for key, value in changes.items()}}


def _merged_value(base: Any, change: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(change, Mapping):
        return merged(base, change)
    if isinstance(base, list) and isinstance(change, list) and all("name" in item for item in [*base, *change]):
        by_name = {item["name"]: item for item in base}
        for item in change:
            by_name[item["name"]] = {**by_name.get(item["name"], {}), **item}
        return list(by_name.values())
    return change


def run_scenario(scenario: Scenario, stage: Stage, folder: Path) -> list[str]:
    """Run a scenario in an empty folder. Returns the differences from what it expects as sentences, empty if none."""
    from tests.scenarios.certificates import fill_secrets, write_files

    write_files(folder, scenario.files)
    with stage.scene(fill_secrets(scenario.world), folder, scenario.seconds, contract=scenario.contract) as scene:
        for command in scenario.setup:
            tool, *words = shlex.split(command)
            if tool == "arm":
                _send_to_arm(scene, *words)
                continue
            output = (scene.kubectl if tool == "kubectl" else scene.az)(words, folder)
            if output.code:
                return [f"setup: {command!r} exited with {output.code}: {output.err}"]
        before = len(scene.log())
        exchanged = len(scene.exchanges())
        begin = time.monotonic()
        output = scene.az(shlex.split(scenario.run)[1:], folder, stdin=scenario.stdin)
        elapsed = time.monotonic() - begin
        requests = scene.log()[before:]
        writes = [line for line in requests if is_write(line)]
        exchanges = scene.exchanges()[exchanged:]
    sent = json.dumps(exchanges)
    to_arm = sum(line["path"].lower().startswith(("/subscriptions/", "/providers/")) for line in requests)
    many = [f"{to_arm} requests to ARM, not {scenario.at_most}"] if 0 < scenario.at_most < to_arm else []
    late = [f"it ended after {elapsed:.1f} seconds"] if 0 < scenario.within < elapsed else []
    differences = [
        *late,
        *many,
        *output_differences(scenario, output),
        *_write_differences(scenario, writes),
        *_request_differences(scenario, requests),
        *_sent_differences(scenario, exchanges),
        *missing_settings(scenario.run, scenario.not_sent, output.out, exchanges),
        *(f"{text!r} must never appear" for text in scenario.never if text in output.out + output.err + sent),
    ]
    return [*differences, f"stdout: {output.out}", f"stderr: {output.err}"] if differences else []


def _send_to_arm(scene: Scene, method: str, path: str, body: str = "null") -> None:
    """A request to ARM of nobody's client, with the API version of the type. Raises urllib.error.HTTPError."""
    group = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg/providers"
    version = next(version for part, version in ARM_VERSIONS.items() if part in path)
    url = f"{group}/{path}?api-version={version}"
    scene.arm(method, url, json.loads(body))
    end = time.monotonic() + SETTLED_SECONDS
    while method != "DELETE" and time.monotonic() < end:
        if str(scene.arm("GET", url)["properties"].get("provisioningState")) in ("Succeeded", "Failed"):
            return
        time.sleep(0.1)


def output_differences(scenario: Scenario, output: Output) -> list[str]:
    """The differences of exit code and streams from what a scenario expects."""
    return [*_stream_differences(scenario, output), *_printed_differences(scenario, output.out)]


def _stream_differences(scenario: Scenario, output: Output) -> Iterator[str]:
    if output.code != scenario.exit:
        yield f"exit code {output.code}, not {scenario.exit}"
    if "Traceback" in output.err:
        yield "a traceback"
    if "Unexpected error:" in output.err:
        yield "an error that is not explained"
    findings = sorted(_findings(output))
    if findings != sorted(scenario.findings):
        yield f"findings {findings}, not {sorted(scenario.findings)}"
    report = output.err.rpartition(REPEATED)[2]
    printed = Counter(line.removeprefix("WARNING: ") for line in report.splitlines() if FINDING.search(line))
    yield from (f"printed {number} times: {line}" for line, number in printed.items() if number > 1)
    yield from (f"stderr lacks {text!r}" for text in scenario.stderr if text not in output.err)
    yield from (f"stdout lacks {text!r}" for text in scenario.stdout if text not in output.out)


def _findings(output: Output) -> set[str]:
    found = set(FINDING.findall(output.err))
    try:
        content = json.loads(output.out)
    except ValueError:
        return found
    listed = content if isinstance(content, list) else []
    if isinstance(content, dict) and isinstance(content.get("clusters"), list):  # a plan of setup files
        listed = [finding for cluster in content["clusters"] for finding in cluster.get("findings") or ()]
    return found | {item["id"] for item in listed if isinstance(item, dict) and {"id", "severity"} <= set(item)}


def _write_differences(scenario: Scenario, writes: list[dict[str, Any]]) -> Iterator[str]:
    expected = [tuple(write.split(" ", 1)) for write in scenario.writes]
    names_record = any(RECORD in end for _, end in expected)
    actual = [(line["method"], line["path"]) for line in writes if names_record or RECORD not in line["path"]]
    same = len(expected) == len(actual) and all(
        method == actual_method and fnmatchcase(path.lower(), f"*{end.lower()}")
        for (method, end), (actual_method, path) in zip(expected, actual, strict=True)
    )
    if not same:
        yield f"writes {actual}, not {list(scenario.writes)}"


def _request_differences(scenario: Scenario, lines: list[dict[str, Any]]) -> Iterator[str]:
    for request, expected in scenario.requests.items():
        method, end = request.split(" ", 1)
        paths = [line["path"] for line in lines if line["method"] == method]
        number = sum(fnmatchcase(path.lower(), f"*{end.lower()}") for path in paths)
        if number != expected:
            yield f"{request} is requested {number} times, not {expected}"


def _printed_differences(scenario: Scenario, out: str) -> Iterator[str]:
    if scenario.returns:
        yield from _value_differences("stdout", json.loads(out or "null"), scenario.returns)


def _sent_differences(scenario: Scenario, exchanges: list[dict[str, Any]]) -> Iterator[str]:
    if scenario.sent:
        requests = [exchange["liveRequest"] for exchange in exchanges]
        bodies = [
            request["body"]
            for request in requests
            if request.get("body") and request["method"] in ("PUT", "PATCH", "POST")
        ]
        yield from _value_differences("sent", bodies[-1] if bodies else None, scenario.sent)


def _value_differences(where: str, value: Any, expected: Mapping[str, Any]) -> Iterator[str]:
    import jmespath

    for path, wanted in expected.items():
        actual = jmespath.search(path, value)
        open_end = isinstance(wanted, str) and wanted.endswith(ANY_REST) and isinstance(actual, str)
        if not (actual.startswith(wanted[: -len(ANY_REST)]) if open_end else actual == wanted):
            yield f"{where}: {path} is {actual!r}, not {wanted!r}"
