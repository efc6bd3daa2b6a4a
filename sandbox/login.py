"""An az that is logged in to the sandbox, in a configuration folder of its own."""

from __future__ import annotations

import os
import secrets
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import certifi

from sandbox.process import SandboxError, state

CLIENT_ID = "77777777-cccc-4ddd-8eee-999999999999"


def environment(directory: Path) -> dict[str, str]:
    """The variables under which az and kubectl talk to the sandbox in this folder."""
    bundle = directory / "ca-bundle.pem"
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + (directory / "ca.pem").read_bytes())
    return {
        "AZURE_CONFIG_DIR": str(directory / "azure"),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "KUBECONFIG": str(directory / "kubeconfig"),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        **proxy_environment(str((state(directory) or {}).get("proxy") or "")),
    }


def proxy_environment(proxy: str) -> dict[str, str]:
    """The variables with which a client finds the hosts of vaults; none for a sandbox without vaults."""
    local = "localhost,127.0.0.1"
    return {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": local, "no_proxy": local} if proxy else {}


def log_in(directory: Path, running: dict[str, Any]) -> None:
    """Have the real az register the cloud and log in, once for each start of the sandbox. Raises SandboxError."""
    mark = directory / "azure" / f"logged-in-{running['azure'].rsplit(':', 1)[1]}"
    if mark.exists():
        return
    cloud = f"Sandbox{running['azure'].rsplit(':', 1)[1]}"
    for arguments in (
        ["cloud", "register", "--name", cloud, "--endpoint-resource-manager", running["azure"]],
        ["cloud", "set", "--name", cloud],
        [
            "login",
            "--service-principal",
            "--username",
            CLIENT_ID,
            "--password",
            secrets.token_hex(16),
            "--tenant",
            running["tenant"],
        ],
        ["account", "set", "--subscription", running["subscription"]],
    ):
        done = subprocess.run(
            [_az(), *arguments, "--only-show-errors"],
            env={**os.environ, **environment(directory)},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            raise SandboxError(f"az {arguments[0]} {arguments[1]} failed: {' '.join(done.stderr.split())}")
    mark.touch()


def exports(directory: Path) -> str:
    """`export` lines for a POSIX shell."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment(directory).items())


def _az() -> str:
    beside = Path(sys.executable).with_name("az")
    return str(beside) if beside.exists() else "az"
