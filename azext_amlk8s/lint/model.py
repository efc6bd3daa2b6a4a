"""What lint finds in files: resources of templates, settings, computes, and its findings with their positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from azext_amlk8s.lint.values import Mark, Value
from azext_amlk8s.rules import Finding, Severity

EXTENSIONS = "microsoft.kubernetesconfiguration/extensions"
COMPUTES = "microsoft.machinelearningservices/workspaces/computes"
RELAY_NAMESPACES = "microsoft.relay/namespaces"
MANAGED, CONNECTED = "managedclusters", "connectedclusters"
# Parts of IDs, of references to resources, and of types.
CLUSTER_SIGNS = {
    MANAGED: MANAGED,
    CONNECTED: CONNECTED,
    "azurerm_kubernetes_cluster.": MANAGED,
    "azurerm_arc_kubernetes_cluster.": CONNECTED,
    "azurerm_arc_kubernetes_provisioned_cluster.": CONNECTED,
}


@dataclass(frozen=True)
class Resource:
    """A resource that a template deploys, in the shape of ARM whatever the language.

    language is arm, bicep or terraform; form says what declares it: resource, azurerm, azapi or module. type is in
    lower case. body holds what the request would: properties, identity, location; scope is what it is deployed on.
    has_condition says that the file decides whether it is deployed; ignored are the paths of ignore_changes.
    """

    language: str
    form: str
    type: str
    mark: Mark
    body: Value
    name: Value | None = None
    scope: Value | None = None
    has_condition: bool = False
    ignored: tuple[str, ...] = ()
    label: str = ""

    def get(self, *path: str) -> Value | None:
        """A value of the body."""
        return self.body.get(*path)

    def mark_of(self, *path: str) -> Mark:
        """The position of the last key of a path that exists, or of the resource."""
        value, mark = self.body, self.mark
        for name in path:
            inner = value.get(name)
            if inner is None:
                break
            mark = value.key_mark(name) if value.keys else inner.mark
            value = inner
        return mark


@dataclass(frozen=True)
class ExtensionUse:
    """The AzureML extension as a template or a command installs or updates it.

    dialect is resource, azurerm, k8s-extension, amlk8s, setup or file: who reads the settings. is_update: only some
    settings are given. cluster is managedclusters, connectedclusters or empty where it is not known.
    """

    dialect: str
    mark: Mark
    config: Value | None = None
    protected: Value | None = None
    version: Value | None = None
    auto_upgrade: Value | None = None
    release_train: Value | None = None
    cluster: str = ""
    is_update: bool = False
    resource: Resource | None = None

    @property
    def is_template(self) -> bool:
        """Whether the settings go to Azure as they are written, without a command that completes them."""
        return self.dialect in ("resource", "azurerm")

    @property
    def is_translated(self) -> bool:
        """Whether az amlk8s reads the settings, which knows other names and moves secrets."""
        return self.dialect in ("amlk8s", "setup", "file")

    @property
    def is_open(self) -> bool:
        """Whether there may be settings that are not known."""
        return self.is_update or any(
            section is not None and (not section.known or section.is_open) for section in (self.config, self.protected)
        )


@dataclass(frozen=True)
class Script:
    """Commands of a shell in a file, or in a part of one, whose lines are indented there.

    language is shell, powershell or batch.
    """

    text: str
    mark: Mark
    language: str = "shell"
    indent: int = 0


@dataclass(frozen=True)
class LintFinding:
    """A finding and its position."""

    finding: Finding
    mark: Mark

    @property
    def is_error(self) -> bool:
        """Whether it is an error."""
        return self.finding.severity is Severity.ERROR


@dataclass
class Result:
    """What the files contain: findings, and what was not evaluated.

    settings are files of settings; named_files are those that commands name, in whose words they are checked. read
    reads a file that others name; now is an aware datetime, None to leave out the validity of certificates.
    """

    findings: list[LintFinding] = field(default_factory=list)
    skipped: list[tuple[Mark, str]] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)
    scripts: list[Script] = field(default_factory=list)
    settings: list[Value] = field(default_factory=list)
    named_files: set[str] = field(default_factory=set)
    read: Callable[[str], str | None] = lambda path: None
    now: Any = None

    def add(self, findings: Iterable[Finding], mark: Mark) -> None:
        """Add findings at one position."""
        self.findings += [LintFinding(finding, mark) for finding in findings]


def cluster_kind(value: Value | None) -> str:
    """managedclusters or connectedclusters by the ID of a cluster, or by what is known of it; else empty."""
    return cluster_kind_of(value.description) if value is not None else ""


def cluster_kind_of(text: str) -> str:
    """managedclusters or connectedclusters by an ID, a reference or a type; empty where it is not known."""
    return next((kind for sign, kind in CLUSTER_SIGNS.items() if sign in text.lower()), "")
