"""From a kubeconfig to a connection."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from azext_amlk8s.kubernetes.objects import Cluster

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0


class KubeconfigUnusable(Exception):
    """The kubeconfig is missing, is none, or lacks the context; the message names file and contexts."""


def connect(*, kubeconfig: str | None = None, context: str | None = None, config_text: str | None = None) -> Cluster:
    """A cluster, by kubeconfig text, by file, by KUBECONFIG or by ~/.kube/config; nothing is sent yet.

    Of the several files that KUBECONFIG may name, the first is taken that holds the context. Raises KubeconfigUnusable.
    """
    import httpx2
    from lightkube import Client

    config = _parse(config_text, "the kubeconfig from Azure") if config_text is not None else _find(kubeconfig, context)
    if (context or config.current_context) not in config.contexts:
        raise KubeconfigUnusable(_lacks(config, context))
    one = config.get(context_name=context)
    client: Any = Client(config=one, timeout=httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS), trust_env=False)
    return Cluster(client, one.cluster.server)


def _find(kubeconfig: str | None, context: str | None) -> Any:
    named = (
        [kubeconfig] if kubeconfig else [word for word in os.environ.get("KUBECONFIG", "").split(os.pathsep) if word]
    )
    files = [Path(word).expanduser() for word in named] or [Path("~/.kube/config").expanduser()]
    configs = [_parse(_read(file), str(file)) for file in files if file.exists() or len(files) == 1]
    if not configs:
        raise KubeconfigUnusable(f"None of the kubeconfig files {', '.join(map(str, files))} exists.")
    wanted = (one for one in configs if (context or one.current_context) in one.contexts)
    return next(wanted, configs[0])


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KubeconfigUnusable(f"There is no kubeconfig at {file}.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigUnusable(
            f"The kubeconfig {file} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from None


def _parse(text: str, name: str) -> Any:
    import yaml
    from lightkube import KubeConfig

    try:
        told = yaml.safe_load(text)
        if not isinstance(told, dict) or "clusters" not in told:
            raise KubeconfigUnusable(f"{name} is not a kubeconfig: it names no clusters.")
        return KubeConfig.from_dict(told, fname=Path(name) if Path(name).exists() else None)
    except yaml.YAMLError:
        raise KubeconfigUnusable(f"{name} is not a kubeconfig: it is not YAML.") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KubeconfigUnusable(
            f"{name} is not a kubeconfig that can be read: {type(error).__name__} at {error}."
        ) from None


def _lacks(config: Any, context: str | None) -> str:
    known = ", ".join(config.contexts) or "none"
    where = f" in {config.fname}" if config.fname else ""
    if context:
        return f"There is no context {context}{where}; there are: {known}."
    return f"No context is current{where}; there are: {known}."
