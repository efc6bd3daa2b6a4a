"""Kubeconfigs: which cluster and which user a context names.

https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.values import wrong_type

DEFAULT_NAMESPACE = "default"
CLUSTER_TYPES: Mapping[str, type] = {
    "server": str, "certificate-authority": str, "certificate-authority-data": str, "tls-server-name": str,
    "proxy-url": str, "insecure-skip-tls-verify": bool,
}  # fmt: skip
USER_TYPES: Mapping[str, type] = {
    "token": str, "tokenFile": str, "username": str, "password": str, "client-certificate": str,
    "client-certificate-data": str, "client-key": str, "client-key-data": str, "exec": dict, "auth-provider": dict,
}  # fmt: skip
PLUGIN_TYPES: Mapping[str, type] = {"apiVersion": str, "command": str, "installHint": str, "env": list}
PAIR_TYPES: Mapping[str, type] = {"name": str, "value": str}
CONTEXT_TYPES: Mapping[str, type] = {"cluster": str, "user": str, "namespace": str}


@dataclass(frozen=True)
class Connection:
    """What a context names: cluster and user as in the file, their values of the right types.

    where names the file for messages; folder is the one that relative paths start from.
    """

    context: str
    cluster: Mapping[str, Any]
    user: Mapping[str, Any]
    namespace: str
    where: str
    folder: Path

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.cluster["server"])

    @property
    def plugin(self) -> Mapping[str, Any] | None:
        """The credential plugin, None where there is none or a token comes before it."""
        return None if self.user.get("token") or self.user.get("tokenFile") else self.user.get("exec")

    def file(self, name: str) -> Path:
        """A file that the kubeconfig names. Raises KubeconfigUnusable where it does not exist."""
        path = self.folder / name
        if not path.is_file():
            raise KubeconfigUnusable(f"A file that {self.where} refers to does not exist: '{path}'.")
        return path


@dataclass(frozen=True)
class Kubeconfig:
    """The entries of a kubeconfig by name, not checked before a context is selected. where names it in messages."""

    current_context: str
    contexts: Mapping[str, Any]
    clusters: Mapping[str, Any]
    users: Mapping[str, Any]
    where: str
    folder: Path

    def select(self, name: str) -> Connection:
        """What the context of this name connects to. Raises KubeconfigUnusable."""
        context = self._checked("context", self.contexts[name], CONTEXT_TYPES)
        cluster = self._entry(name, context, "cluster", self.clusters, CLUSTER_TYPES)
        user = self._entry(name, context, "user", self.users, USER_TYPES)
        if not cluster.get("server"):
            raise self._invalid(f"cluster '{context['cluster']}' has no server")
        if user.get("exec"):
            self._check_plugin(user["exec"])
        namespace = str(context.get("namespace") or DEFAULT_NAMESPACE)
        return Connection(name, cluster, user, namespace, self.where, self.folder)

    def _entry(
        self, name: str, context: Mapping[str, Any], kind: str, known: Mapping[str, Any], types: Mapping[str, type]
    ) -> Mapping[str, Any]:
        """The cluster or the user that a context names."""
        key = context.get(kind)
        if not key:
            raise KubeconfigUnusable(f"Context '{name}' of {self.where} has no {kind}.")
        if key not in known:
            raise KubeconfigUnusable(
                f"Context '{name}' of {self.where} refers to {kind} '{key}', which is not in the file."
            )
        return self._checked(kind, known[key], types)

    def _checked(self, kind: str, entry: Any, types: Mapping[str, type]) -> Mapping[str, Any]:
        if not isinstance(entry, dict):
            raise self._invalid(f"expected an object as '{kind}'")
        if expected := wrong_type(entry, types):
            raise self._invalid(f"expected {expected} of a {kind}")
        return entry

    def _check_plugin(self, plugin: Mapping[str, Any]) -> None:
        if expected := wrong_type(plugin, PLUGIN_TYPES, "exec."):
            raise self._invalid(f"expected {expected}")
        arguments = plugin.get("args") or []
        if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
            raise self._invalid("expected a list of strings as 'exec.args'")
        if not plugin.get("command"):
            raise self._invalid("expected a string as 'exec.command'")
        for pair in plugin.get("env") or ():
            if wrong_type(pair, PAIR_TYPES) or pair.get("name") is None or pair.get("value") is None:
                raise self._invalid("expected a name and a value in 'exec.env'")

    def _invalid(self, reason: str) -> KubeconfigUnusable:
        return _invalid(self.where, reason)


def parse_kubeconfig(text: str, where: str, folder: Path) -> Kubeconfig:
    """The kubeconfig of a text. Raises KubeconfigUnusable for text that is none."""
    document = _document(text, where)
    if not isinstance(document, dict) or not isinstance(document.get("clusters"), list):
        raise KubeconfigUnusable(f"{where} is not a kubeconfig: it has no list of clusters.")
    current = document.get("current-context")
    if not isinstance(current, str | None):
        raise _invalid(where, "current-context is not a string")
    entries = {key: _by_name(document.get(key), key, where) for key in ("contexts", "clusters", "users")}
    return Kubeconfig(current or "", **entries, where=where, folder=folder)


def _by_name(entries: Any, key: str, where: str) -> dict[str, Any]:
    """The entries of a list, such as {"name": NAME, "user": {}}, by their names; of equal names the first counts."""
    named: dict[str, Any] = {}
    if expected := wrong_type({key: entries}, {key: list}):
        raise _invalid(where, f"expected {expected}")
    for entry in entries or ():
        if not isinstance(entry.get("name"), str):
            raise _invalid(where, f"an entry of '{key}' has no name")
        named.setdefault(entry["name"], entry.get(key.removesuffix("s")))
    return named


def _document(text: str, where: str) -> Any:
    from azext_amlk8s.yaml_files import YamlProblem, load_document

    try:
        return load_document(text)
    except YamlProblem as problem:
        raise KubeconfigUnusable(f"{where} is not a kubeconfig: {problem}.") from None


def _invalid(where: str, reason: str) -> KubeconfigUnusable:
    return KubeconfigUnusable(f"{where} is not a valid kubeconfig: {reason}.")
