"""Ctrl-C in the middle of a wait: the operation goes on, and the message says how to follow it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any

ON_AKS = ["-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]


def interrupted(box: Any, words: list[str], path: str) -> tuple[int, str, str]:
    """Run az until it has written beneath a path, two seconds more, then press Ctrl-C: exit code, stdout, stderr."""
    process = subprocess.Popen(
        ["az", "amlk8s", *words],
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
    while not any(path in line["path"] for line in box.writes()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_ctrl_c_leaves_the_operation_running(start: Callable[..., Any]) -> None:
    """The message holds the command to follow it, and installation and attachment end well without us."""
    box = start("--provisioning-seconds", "12")
    extension = ["-n", "azureml-extension", *ON_AKS]
    code, out, err = interrupted(
        box, ["extension", "create", *extension, "--config", "enableTraining=True"], "/extensions/"
    )
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "az amlk8s extension wait" in err
    waited = box.az("amlk8s", "extension", "wait", *extension, "--created", "--interval", "1", "--timeout", "60")
    assert waited.code == 0, waited.err
    shown = box.az("amlk8s", "extension", "show", *extension)
    assert shown.json["properties"]["provisioningState"] == "Succeeded"

    compute = ["-g", "ml-rg", "-w", "ml-ws", "-n", "k8s"]
    attach = ["compute", "attach", *compute, "-c", "aks-poc", "-t", "managedClusters"]
    code, out, err = interrupted(box, attach, "/computes/")
    assert (code, out) == (1, ""), err
    assert "Traceback" not in err
    assert "Attaching k8s to ml-ws goes on in Azure; only the waiting has ended." in err
    follow = "az amlk8s compute wait -g ml-rg -w ml-ws -n k8s --created"
    assert follow in err
    waited = box.run(*follow.split(), "--interval", "1", "--timeout", "60")
    assert waited.code == 0, waited.err
    assert box.az("amlk8s", "compute", "show", *compute).json["properties"]["provisioningState"] == "Succeeded"
