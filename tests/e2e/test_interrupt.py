"""Ctrl-C: what was started continues, and the message says how to follow it; what only reads ends with a sentence."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import yaml

from tools.prove_wheel import ROOT

CLUSTER = ["-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]
EXTENSION = ["amlk8s", "extension"]
NAMED = ["-n", "azureml-extension", *CLUSTER]
COMPUTE = ["-n", "k8s-compute", "-w", "ml-ws", "-g", "ml-rg"]


@pytest.fixture(scope="module")
def slow(start: Callable[..., Any]) -> Any:
    """A sandbox in which things take so long that a wait can be broken off."""
    return start("--provisioning-seconds", "12")


def interrupted(box: Any, words: list[str], until: Callable[[], bool]) -> tuple[int, str, str]:
    """Run az, press Ctrl-C two seconds after `until` holds; returns exit code, stdout and stderr."""
    process = interrupt(box, words, until)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def interrupt(box: Any, words: list[str], until: Callable[[], bool]) -> subprocess.Popen[str]:
    """Start az and press Ctrl-C two seconds after `until` holds."""
    process = subprocess.Popen(
        ["az", *words],
        env=box.env,
        cwd=box.folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A runner in the background hands an ignored SIGINT down.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    return process


def written(box: Any, part: str) -> Callable[[], bool]:
    """Whether something was written to a path with this part."""
    return lambda: any(part in line["path"] for line in box.writes())


def read(box: Any, part: str) -> Callable[[], bool]:
    """Whether a path that ends so is asked for once more than now."""
    from tools.demo import sandbox

    def count() -> int:
        return sandbox("log", "--dir", str(box.folder)).count(f'{part}", "query"')

    before = count()
    return lambda: count() > before


def test_ctrl_c_leaves_the_installation_running(slow: Any) -> None:
    """The message holds the command to follow it, and the installation ends well without us."""
    install = [*EXTENSION, "create", *NAMED, "--config", "enableTraining=True"]
    code, out, err = interrupted(slow, install, written(slow, "/extensions/"))
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "az amlk8s extension wait" in err
    waited = slow.az(*EXTENSION, "wait", *NAMED, "--created", "--interval", "1", "--timeout", "60")
    assert waited.code == 0, waited.err
    shown = slow.az(*EXTENSION, "show", *NAMED)
    assert shown.json["properties"]["provisioningState"] == "Succeeded"


def test_ctrl_c_leaves_the_attachment_running(slow: Any) -> None:
    """As of an installation."""
    attach = ["amlk8s", "compute", "attach", *COMPUTE, "-c", "aks-poc", "-t", "managedClusters"]
    code, out, err = interrupted(slow, attach, written(slow, "/computes/"))
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "Stopped waiting. Attaching k8s-compute to ml-ws continues in Azure." in err
    follow = "az amlk8s compute wait -g ml-rg -w ml-ws -n k8s-compute --created"
    assert follow in err
    waited = slow.run(*follow.split(), "--interval", "1", "--timeout", "60")
    assert waited.code == 0, waited.err
    shown = slow.az("amlk8s", "compute", "show", *COMPUTE)
    assert shown.json["properties"]["provisioningState"] == "Succeeded"


def test_ctrl_c_leaves_a_deployment_running(slow: Any) -> None:
    """Azure goes on by itself; the message says how to follow it and how to continue."""
    file = slow.folder / "engine.yaml"
    file.write_text(
        "name: edge\nclusters: [{name: aks-single, resource_group: ml-rg, type: managedClusters}]\n"
        "extension: {name: azureml, settings: {enableTraining: true}}\n",
        encoding="utf-8",
    )
    words = ["amlk8s", "apply", "-f", str(file), "--engine", "deployment", "--yes"]
    report = slow.folder / "report.json"
    code, out, err = interrupted(slow, [*words, "--report", str(report)], written(slow, "/deployments/amlk8s-edge-1-"))
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "Stopped waiting. Deployment 'amlk8s-edge-1-" in err
    assert f"az amlk8s apply -f {file} --engine deployment" in err
    ended = json.loads(report.read_text(encoding="utf-8"))["clusters"]
    assert [(item["cluster"], item["status"]) for item in ended] == [("aks-single", "interrupted")]
    follow = next(line for line in err.splitlines() if "az deployment sub show" in line).partition("Try: ")[2]
    deadline = time.monotonic() + 60
    while (state := slow.run(*shlex.split(follow), "-o", "tsv")).out.strip() == "Running":
        assert time.monotonic() < deadline
    assert state.out.strip() == "Succeeded", state.err
    again = slow.az(*words)
    assert again.json["summary"]["unchanged"] == 1, again.err


def test_ctrl_c_ends_a_wait(slow: Any) -> None:
    """What is waited for never comes; the message says how to look."""
    wait = ["amlk8s", "compute", "wait", *COMPUTE, "--deleted", "--interval", "1"]
    code, out, err = interrupted(slow, wait, read(slow, "/computes/k8s-compute"))
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "az amlk8s compute wait" in err


@pytest.fixture(scope="module")
def delayed(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A sandbox that takes 10 seconds to respond to a read of the cluster."""
    world = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    world["faults"] = [{"kind": "slow", "method": "GET", "path": "managedClusters/aks-poc$", "seconds": 10}]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return start("--world", str(file))


def test_ctrl_c_ends_a_check_that_reads_with_one_sentence(delayed: Any) -> None:
    """The sentence comes at once, before the response that is outstanding; there is no report."""
    process = interrupt(delayed, ["amlk8s", "check", *CLUSTER], read(delayed, "/managedClusters/aks-poc"))
    assert process.stderr
    began = time.monotonic()
    lines = []
    while "ERROR" not in "".join(lines[-1:]) and (line := process.stderr.readline()):
        lines.append(line)
    seconds = time.monotonic() - began
    out, rest = process.communicate(timeout=60)
    assert (process.returncode, out, rest) == (1, "", ""), rest
    assert lines[-1] == "ERROR: Interrupted; nothing was changed.\n"
    assert not any("Traceback" in line for line in lines)
    assert seconds < 5
    assert delayed.writes() == []
