"""From a kubeconfig to a connection."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.kubernetes.objects import Cluster
from azext_amlk8s.kubernetes.sender import CONNECT_SECONDS, READ_SECONDS
from azext_amlk8s.registered_secrets import register_secret

if TYPE_CHECKING:
    from lightkube import KubeConfig
    from lightkube.config.kubeconfig import SingleConfig

LOOPBACK = ("localhost", "127.0.0.1", "::1")
CONTEXTS_FIX = ("kubectl config get-contexts",)


def connect(*, kubeconfig: str | None = None, context: str | None = None, config_text: str | None = None) -> Cluster:
    """A cluster by kubeconfig text, by file, by KUBECONFIG or by ~/.kube/config; nothing is sent yet.

    Of several files in KUBECONFIG the first one with the context is used. Raises KubeconfigUnusable.
    """
    config = _parse(config_text, "the kubeconfig from Azure") if config_text is not None else _find(kubeconfig, context)
    where = str(config.fname) if config.fname else "the kubeconfig"
    name = context or config.current_context
    if not name or name not in config.contexts:
        raise _missing_context(config, context, where)
    selected = _select(config, name, where)
    _check(selected, where)
    return Cluster(_client(selected, where), selected.cluster.server, selected.context_name)


def _select(config: KubeConfig, name: str, where: str) -> SingleConfig:
    entry = config.contexts[name]
    for kind, key, known in (("cluster", entry.cluster, config.clusters), ("user", entry.user, config.users)):
        if key and key not in known:
            raise KubeconfigUnusable(f"Context '{name}' of {where} refers to {kind} '{key}', which is not in the file.")
    if not entry.user:
        raise KubeconfigUnusable(f"Context '{name}' of {where} has no user.")
    selected = config.get(context_name=name)
    assert selected is not None
    return selected


def _check(config: SingleConfig, where: str) -> None:
    """Raise KubeconfigUnusable for what lightkube does not support or would send without encryption.

    The credentials are redacted from then on.
    """
    user = config.user
    register_secret(user and user.token)
    register_secret(user and user.password)
    try:
        server = urlsplit(config.cluster.server)
        _ = server.port
    except ValueError as error:
        raise KubeconfigUnusable(f"The server '{config.cluster.server}' of {where} is not a URL: {error}.") from None
    if server.scheme != "https" and server.hostname not in LOOPBACK:
        raise KubeconfigUnusable(
            f"The server '{config.cluster.server}' of {where} is not an https address; credentials are not sent to it."
        )
    if user and user.auth_provider and not (user.token or user.exec):
        name = user.auth_provider.get("name", "unknown")
        raise KubeconfigUnusable(
            f"The user of context '{config.context_name}' in {where} uses auth-provider '{name}', which Kubernetes "
            "1.26 removed; expected a credential plugin.",
            ("kubelogin convert-kubeconfig -l azurecli",),
        )


def _client(config: SingleConfig, where: str) -> Any:
    import httpx2
    from lightkube import Client
    from lightkube.core.exceptions import ConfigError
    from msgspec.structs import replace

    plugin = config.user.exec if config.user and not config.user.token else None
    if config.user and plugin:
        config = config._replace(user=replace(config.user, exec=None))
    try:
        timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        client: Any = Client(config=config, timeout=timeout, trust_env=False)
    except FileNotFoundError as error:
        raise KubeconfigUnusable(
            f"A file that {where} refers to does not exist: '{_missing_file(config, error)}'."
        ) from None
    except ssl.SSLError as error:
        reason = error.reason or "it is not valid PEM"
        raise KubeconfigUnusable(f"A certificate or key in {where} cannot be read: {reason}.") from None
    except (ConfigError, httpx2.InvalidURL, ValueError, TypeError, OSError) as error:
        raise KubeconfigUnusable(f"The credentials in {where} cannot be used: {error}.") from None
    if plugin:
        from azext_amlk8s.kubernetes.exec_plugin import ExecPluginAuth

        # lightkube's own plugin support lacks client.authentication.k8s.io/v1, time limits and install hints.
        client._client._client.auth = ExecPluginAuth(plugin, where)  # pylint: disable=protected-access
    return client


def _missing_file(config: SingleConfig, error: FileNotFoundError) -> str:
    """The name of the file that an error is about, which ssl does not tell."""
    user = config.user
    names = [config.cluster.certificate_auth, user and user.client_cert, user and user.client_key]
    paths = [config.abs_file(name) for name in names if name]
    return str(error.filename or next((path for path in paths if not Path(path).exists()), "unknown"))


def _find(kubeconfig: str | None, context: str | None) -> KubeConfig:
    paths = (
        [kubeconfig] if kubeconfig else [path for path in os.environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    )
    files = [Path(path).expanduser() for path in paths] or [Path("~/.kube/config").expanduser()]
    configs = [_parse_file(_read(file), str(file)) for file in files if file.exists() or len(files) == 1]
    if not configs:
        raise KubeconfigUnusable(f"None of the kubeconfig files exists: {', '.join(map(str, files))}.")
    return next((config for config in configs if (context or config.current_context) in config.contexts), configs[0])


@lru_cache(maxsize=4)
def _parse_file(text: str, name: str) -> KubeConfig:
    """The kubeconfig of a file, parsed once for all clusters whose contexts it has."""
    return _parse(text, name)


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


def _parse(text: str, name: str) -> KubeConfig:
    import msgspec
    import yaml
    from lightkube import KubeConfig

    from azext_amlk8s.yaml_files import YamlProblem, compose_documents

    try:
        if len(compose_documents(text)) > 1:
            raise KubeconfigUnusable(f"{name} is not a kubeconfig: it has several YAML documents.")
        # PyYAML has the faster loader where it was built with libyaml.
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe
        if not isinstance(document, dict) or not isinstance(document.get("clusters"), list):
            raise KubeconfigUnusable(f"{name} is not a kubeconfig: it has no list of clusters.")
        if not isinstance(document.get("current-context", ""), (str, NoneType)):
            raise KubeconfigUnusable(f"{name} is not a valid kubeconfig: current-context is not a string.")
        lists = {key: document.get(key) or [] for key in ("clusters", "contexts", "users")}
        return KubeConfig.from_dict({**document, **lists}, fname=Path(name) if Path(name).exists() else None)
    except YamlProblem as problem:
        raise KubeconfigUnusable(f"{name} is not a kubeconfig: {problem}.") from None
    except yaml.YAMLError:
        raise KubeconfigUnusable(f"{name} is not a kubeconfig: it has values that YAML cannot express.") from None
    except msgspec.ValidationError as error:
        raise KubeconfigUnusable(f"{name} is not a valid kubeconfig: {error}.") from None
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else type(error).__name__
        raise KubeconfigUnusable(f"{name} is not a valid kubeconfig: {reason}.") from None


def _missing_context(config: KubeConfig, context: str | None, where: str) -> KubeconfigUnusable:
    known = ", ".join(f"'{name}'" for name in config.contexts) or "none"
    if context:
        return KubeconfigUnusable(f"Context '{context}' not found in {where}; contexts: {known}.", CONTEXTS_FIX)
    return KubeconfigUnusable(f"No current context in {where}; contexts: {known}.", CONTEXTS_FIX)
