"""From a kubeconfig to a connection."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azext_amlk8s.kubernetes.credentials import Credentials, tls_context
from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.kubernetes.kubeconfig import Connection, Kubeconfig, parse_kubeconfig
from azext_amlk8s.kubernetes.objects import Cluster
from azext_amlk8s.kubernetes.proxies import LOOPBACK, pool_of
from azext_amlk8s.kubernetes.sender import Sender
from azext_amlk8s.registered_secrets import register_secret

CONTEXTS_FIX = ("kubectl config get-contexts",)
PARALLEL_CONNECTIONS = 16


def connect(*, kubeconfig: str | None = None, context: str | None = None, config_text: str | None = None) -> Cluster:
    """A cluster by kubeconfig text, by file, by KUBECONFIG or by ~/.kube/config; nothing is sent yet.

    Of several files in KUBECONFIG the first one with the context is used. Raises KubeconfigUnusable.
    """
    if config_text is not None:
        config = parse_kubeconfig(config_text, "the kubeconfig from Azure", Path())
    else:
        config = _find(kubeconfig, context)
    name = context or config.current_context
    if name not in config.contexts:
        raise _missing_context(config, context)
    connection = config.select(name)
    _check(connection)
    return Cluster(_sender(connection), connection.namespace)


def _check(connection: Connection) -> None:
    """Raise KubeconfigUnusable for what is not supported or would be sent without encryption.

    The credentials are redacted from then on.
    """
    user, where, address = connection.user, connection.where, connection.server
    register_secret(user.get("token"))
    register_secret(user.get("password"))
    try:
        server = urlsplit(address)
        _ = server.port
    except ValueError as error:
        raise KubeconfigUnusable(f"The server '{address}' of {where} is not a URL: {error}.") from None
    if server.scheme not in ("http", "https") or not server.hostname:
        raise KubeconfigUnusable(f"The server '{address}' of {where} is not an https address.")
    if server.scheme != "https" and server.hostname not in LOOPBACK:
        raise KubeconfigUnusable(
            f"The server '{address}' of {where} is not an https address; credentials are not sent to it."
        )
    if user.get("auth-provider") and not (user.get("token") or user.get("exec")):
        name = user["auth-provider"].get("name", "unknown")
        raise KubeconfigUnusable(
            f"The user of context '{connection.context}' in {where} uses auth-provider '{name}', which Kubernetes "
            "1.26 removed; expected a credential plugin.",
            ("kubelogin convert-kubeconfig -l azurecli",),
        )


def _sender(connection: Connection) -> Sender:
    options: dict[str, Any] = {"maxsize": PARALLEL_CONNECTIONS}
    if connection.server.startswith("https:"):
        options["ssl_context"] = tls_context(connection)
        if name := connection.cluster.get("tls-server-name"):
            options["server_hostname"] = name
    if connection.cluster.get("insecure-skip-tls-verify"):
        import urllib3

        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    http = pool_of(connection, **options)
    return Sender(http, Credentials(connection), connection.server, connection.context)


def _find(kubeconfig: str | None, context: str | None) -> Kubeconfig:
    paths = (
        [kubeconfig] if kubeconfig else [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    )
    files = [Path(path).expanduser() for path in paths] or [Path("~/.kube/config").expanduser()]
    configs = [_parse_file(_read(file), file) for file in files if file.exists() or len(files) == 1]
    if not configs:
        raise KubeconfigUnusable(f"None of the kubeconfig files exists: {', '.join(map(str, files))}.")
    return next((config for config in configs if (context or config.current_context) in config.contexts), configs[0])


@lru_cache(maxsize=4)
def _parse_file(text: str, file: Path) -> Kubeconfig:
    """The kubeconfig of a file, parsed once for all clusters whose contexts it has."""
    return parse_kubeconfig(text, str(file), file.parent)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KubeconfigUnusable(
            f"Kubeconfig '{file}' not found.",
            ("Fetch credentials with az aks get-credentials, or name a file with --kubeconfig.",),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise KubeconfigUnusable(f"Kubeconfig '{file}' cannot be read: {reason}.") from None


def _missing_context(config: Kubeconfig, context: str | None) -> KubeconfigUnusable:
    known = ", ".join(f"'{name}'" for name in config.contexts) or "none"
    if context:
        return KubeconfigUnusable(f"Context '{context}' not found in {config.where}; contexts: {known}.", CONTEXTS_FIX)
    return KubeconfigUnusable(f"No current context in {config.where}; contexts: {known}.", CONTEXTS_FIX)
