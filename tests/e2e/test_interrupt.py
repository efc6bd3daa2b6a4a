"""Ctrl-C in the middle of a wait: the operation goes on, and the message says how to follow it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import Any


def test_ctrl_c_leaves_the_operation_running(start: Callable[..., Any]) -> None:
    """The message holds the command to follow it, and the installation ends well without us."""
    box = start("--provisioning-seconds", "12")
    cluster = ["-n", "azureml-extension", "-c", "aks-poc", "-t", "managedClusters", "-g", "ml-rg"]
    process = subprocess.Popen(
        ["az", "amlk8s", "extension", "create", *cluster, "--config", "enableTraining=True"],
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
    while not any("/extensions/" in line["path"] for line in box.writes()):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    assert "Traceback" not in err
    assert "az amlk8s extension wait" in err
    assert out == ""
    waited = box.az("amlk8s", "extension", "wait", *cluster, "--created", "--interval", "1", "--timeout", "60")
    assert waited.code == 0, waited.err
    shown = box.az("amlk8s", "extension", "show", *cluster)
    assert shown.json["properties"]["provisioningState"] == "Succeeded"
