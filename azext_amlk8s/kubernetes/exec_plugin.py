"""Credential plugins of a kubeconfig, such as kubelogin.

https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator
from typing import TYPE_CHECKING

import httpx2

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.redaction import is_secret_name
from azext_amlk8s.registered_secrets import register_secret
from azext_amlk8s.time_limit import time_left

if TYPE_CHECKING:
    from lightkube.config.models import UserExec

PLUGIN_SECONDS = 120
MOST_ERROR_CHARACTERS = 300


class ExecPluginAuth(httpx2.Auth):
    """Bearer tokens from a credential plugin; a rejected token is requested once more."""

    def __init__(self, plugin: UserExec, where: str) -> None:
        self._plugin, self._where = plugin, where
        self._token = ""

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Authorize a request. Raises KubeconfigUnusable where the plugin does not return a token."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
            response = yield request
            if response.status_code != 401:
                return
        self._token = run_plugin(self._plugin, self._where)
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def run_plugin(plugin: UserExec, where: str) -> str:
    """The token that a plugin returns. Raises KubeconfigUnusable with its installHint where it is not installed."""
    name = f"The credential plugin '{plugin.command}' of {where}"
    info = {"apiVersion": plugin.apiVersion, "kind": "ExecCredential", "spec": {"interactive": False}}
    environment = {**os.environ, "KUBERNETES_EXEC_INFO": json.dumps(info)}
    environment.update({variable.name: variable.value for variable in plugin.env or ()})
    _register_secrets(plugin)
    try:
        done = subprocess.run(
            [plugin.command, *(plugin.args or ())],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=time_left(PLUGIN_SECONDS),
            check=False,
        )
    except FileNotFoundError:
        hint = " ".join((plugin.installHint or "").split())
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


def _register_secrets(plugin: UserExec) -> None:
    """Have the secrets that the kubeconfig passes to the plugin redacted where it repeats them."""
    arguments = list(plugin.args or [])
    pairs = [(variable.name, variable.value) for variable in plugin.env or ()]
    pairs += zip(arguments, arguments[1:], strict=False)
    pairs += [(name, value) for name, _, value in (argument.partition("=") for argument in arguments)]
    for name, value in pairs:
        if is_secret_name(name):
            register_secret(value)


def _token(output: bytes, name: str) -> str:
    try:
        credential = json.loads(output)
    except ValueError:
        raise KubeconfigUnusable(f"{name} did not return JSON.") from None
    status = credential.get("status") if isinstance(credential, dict) else None
    token = status.get("token") if isinstance(status, dict) else None
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise KubeconfigUnusable(f"{name} did not return a token.")
    register_secret(token)
    return token
