"""Credential plugins of a kubeconfig, such as kubelogin.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.redaction import is_secret_name
from azext_amlk8s.registered_secrets import register_secret
from azext_amlk8s.time_limit import time_left
from azext_amlk8s.values import parse_json

PLUGIN_SECONDS = 120
MOST_ERROR_CHARACTERS = 300


def run_plugin(plugin: Mapping[str, Any], where: str) -> str:
    """The token that a plugin returns: the object exec of a user.

    Raises KubeconfigUnusable, with its installHint where it is not installed.
    """
    name = f"The credential plugin '{plugin['command']}' of {where}"
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    environment.update(_variables(plugin))
    _register_secrets(plugin)
    try:
        done = subprocess.run(
            [plugin["command"], *(plugin.get("args") or ())],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_left(PLUGIN_SECONDS),
            check=False,
        )
    except FileNotFoundError:
        hint = " ".join((plugin.get("installHint") or "").split())
        raise KubeconfigUnusable(f"{name} is not installed.", (hint,) if hint else ()) from None
    except OSError as error:
        raise KubeconfigUnusable(f"{name} cannot be started: {error.strerror}.") from None
    except subprocess.TimeoutExpired:
        time_left(PLUGIN_SECONDS)
        raise KubeconfigUnusable(f"{name} did not finish within {PLUGIN_SECONDS} seconds.") from None
    if done.returncode:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:MOST_ERROR_CHARACTERS]
        raise KubeconfigUnusable(f"{name} failed with exit code {done.returncode}: {reason or 'no message'}")
    return _token(done.stdout, name)


def _variables(plugin: Mapping[str, Any]) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in plugin.get("env") or ()}


def _register_secrets(plugin: Mapping[str, Any]) -> None:
    """Have the secrets that the kubeconfig passes to the plugin redacted where it repeats them."""
    arguments = list(plugin.get("args") or [])
    pairs = list(_variables(plugin).items())
    pairs += zip(arguments, arguments[1:], strict=False)
    pairs += [(name, value) for name, _, value in (argument.partition("=") for argument in arguments)]
    for name, value in pairs:
        if is_secret_name(name):
            register_secret(value)


def _token(output: bytes, name: str) -> str:
    try:
        credential = parse_json(output)
    except ValueError:
        raise KubeconfigUnusable(f"{name} did not return JSON.") from None
    status = credential.get("status") if isinstance(credential, dict) else None
    token = status.get("token") if isinstance(status, dict) else None
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise KubeconfigUnusable(f"{name} did not return a token.")
    register_secret(token)
    return token
