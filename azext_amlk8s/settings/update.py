"""Requested settings against deployed ones: the differences, the PATCH body, what would be lost, what would stop."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass

from azext_amlk8s import knowledge
from azext_amlk8s.settings.facts import Resource
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.plan import FOR_FEW_NODES, Body, derived_settings, version_properties, with_copies
from azext_amlk8s.settings.schema import find_key, is_secret, listed_value, setting_schema

RESET = "(reset to the chart's default)"
WORKLOADS = ("enableTraining", "enableInference")
PROVIDER = "internalLoadBalancerProvider"
SERVICE_TYPES = ("scoringFe.serviceType.nodePort", "scoringFe.serviceType.internalLoadBalancer")
# Given settings from which others follow, and those that are reset together with them.
SOURCES = {
    "enableInference", "inferenceRouterServiceType", PROVIDER,
    "sslSecret", "allowInsecureConnections", "isAKSMigration",
}  # fmt: skip
RESET_TOGETHER = {"sslSecret": "scoringFe.sslSecret", "isAKSMigration": "scoringFe.namespace"}


@dataclass(frozen=True)
class Deployed:
    """An extension as ARM describes it. protected has names only: the service never returns their values.

    Keys are as they were written, since the chart distinguishes upper and lower case; True and False are written one
    way; empty values are left out, since they mean the chart's default.
    """

    config: Mapping[str, str]
    protected: frozenset[str]
    state: str
    version: str
    release_train: str
    auto_upgrade: bool

    def settings(self) -> Settings:
        """The settings for the rules, with a blank for every protected value."""
        return Settings(self.config, dict.fromkeys(self.protected, BLANK))


@dataclass(frozen=True)
class Change:
    """One difference; before is None for a key that is not deployed, after is RESET for one that is set back."""

    key: str
    before: str | None
    after: str

    def __str__(self) -> str:
        before = "not set" if self.before is None else self.before
        return f"{self.key}: {before} -> {self.after.strip('()') if self.after == RESET else self.after}"


@dataclass(frozen=True)
class Update:
    """An update: its changes, the PATCH body (empty when nothing changes), the protected settings it would lose."""

    changes: tuple[Change, ...]
    body: Body
    lost: tuple[str, ...]


def read_deployed(extension: Resource) -> Deployed:
    """An extension of ARM, where properties may be null everywhere, as values that compare."""
    properties = extension.get("properties") or {}
    config = properties.get("configurationSettings") or {}
    return Deployed(
        {key: _normalise(key, str(value)) for key, value in config.items() if value not in (None, "")},
        frozenset(properties.get("configurationProtectedSettings") or {}),
        str(properties.get("provisioningState") or ""),
        str(properties.get("version") or ""),
        str(properties.get("releaseTrain") or ""),
        bool(properties.get("autoUpgradeMinorVersion")),
    )


def find_differences(
    settings: Settings,
    deployed: Deployed,
    *,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> tuple[Change, ...]:
    """What create requests and the cluster does not have: of the given settings and what follows from them.

    A protected setting counts where its name is missing; its value cannot be compared.
    """
    requested = {**derived_settings(settings), **settings.config}
    requested.update({key: settings.get(key, "False") for key in WORKLOADS})
    plain = {key: value for key, value in requested.items() if key not in settings.protected}
    missing = sorted(with_copies(settings.protected).keys() - deployed.protected)
    versions = _version_body(release_train, version, auto_upgrade)
    return (
        *_config_changes(plain, deployed),
        *(Change(key, None, BLANK) for key in missing),
        *_version_changes(deployed, versions),
    )


def plan_update(
    settings: Settings,
    deployed: Deployed,
    restored: Mapping[str, str],
    *,
    few_nodes: bool = False,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> Update:
    """The PATCH that turns what is deployed into what is requested, and changes nothing else.

    Plain settings merge by key, so only different ones are sent; an empty value resets a key. Protected settings are
    replaced as a whole, so they are sent only when one of them is given, and then with all of `restored`; what is
    deployed and in neither would be lost. few_nodes: fewer than three nodes can run a router.
    https://learn.microsoft.com/rest/api/kubernetesconfiguration/extensions/extensions/update
    """
    requested = {**_derived_changes(settings, deployed), **settings.config}
    versions = _version_body(release_train, version, auto_upgrade)
    version_changes = _version_changes(deployed, versions)
    protected = with_copies(settings.protected)
    if few_nodes and (_config_changes(requested, deployed) or protected or version_changes):
        requested = {**_settings_for_few_nodes(settings, deployed), **requested}
    changes = _config_changes(requested, deployed)
    properties: Body = {}
    if changes:
        properties["configurationSettings"] = {change.key: requested[change.key] for change in changes}
    lost: tuple[str, ...] = ()
    if protected:
        section = {**restored, **protected}
        properties["configurationProtectedSettings"] = section
        for key in sorted(protected):
            before = BLANK if key in deployed.protected else None
            changes.append(Change(key, before, BLANK if protected[key] else RESET))
        lost = tuple(sorted(deployed.protected - section.keys() - set(knowledge.load("lifecycle")["meaningless"])))
    if version_changes:
        properties.update(versions)
    return Update((*changes, *version_changes), {"properties": properties} if properties else {}, lost)


def settings_after_update(deployed: Deployed, settings: Settings) -> Settings:
    """The settings that the cluster will have after an update, with a blank for each protected value that is not given.

    The provider of an internal load balancer counts as absent when the router is given another service type: nothing
    reads it then.
    """
    before = deployed.settings()
    given = {*settings.config, *settings.protected}
    replaced = {*SERVICE_TYPES, *(derived for source, derived in RESET_TOGETHER.items() if source in given)}
    config = {key: value for key, value in before.config.items() if key not in replaced or not SOURCES & given}
    config |= settings.config
    if settings.get("inferenceRouterServiceType", "loadBalancer") != "loadBalancer" and PROVIDER not in settings.config:
        config.pop(PROVIDER, None)
    return Settings(config, {**before.protected, **settings.protected}).without_resets()


def stopped_workloads(changes: tuple[Change, ...], deployed: Deployed) -> Mapping[str, tuple[Change, ...]]:
    """The workloads that run now and stop with these changes (jobs, endpoints), each with the changes that stop it.

    An absent value counts as its default, so that only a real transition is reported.
    """
    lifecycle = knowledge.load("lifecycle")
    stopped: dict[str, list[Change]] = {}
    for change in changes:
        after = _default(change.key) if change.after == RESET else change.after
        if (change.before or _default(change.key)).lower() == after.lower():
            continue
        for cause in lifecycle["stops"]:
            if not fnmatch.fnmatchcase(change.key, cause["key"]) or after != cause.get("to", after):
                continue
            for workload in cause["what"]:
                if deployed.config.get(lifecycle["runs"][workload]) == "True":
                    stopped.setdefault(workload, []).append(change)
    return {workload: tuple(causes) for workload, causes in stopped.items()}


def _derived_changes(settings: Settings, deployed: Deployed) -> Mapping[str, str]:
    """What follows from the given settings together with those that stay."""
    given = {*settings.config, *settings.protected}
    if not SOURCES & given:
        return {}
    derived = dict(derived_settings(settings_after_update(deployed, settings)))
    for key in SERVICE_TYPES:
        if deployed.config.get(key) == "True":
            derived.setdefault(key, "False")
    for source, key in RESET_TOGETHER.items():
        if source in given and not settings.get(source) and key in deployed.config:
            derived.setdefault(key, "")
    return {key: value for key, value in derived.items() if value != BLANK}


def _settings_for_few_nodes(settings: Settings, deployed: Deployed) -> Mapping[str, str]:
    """What create chooses for few nodes: with three routers any update would fail with E40002."""
    after = settings_after_update(deployed, settings)
    if not after.is_enabled("enableInference") or after.get("inferenceRouterHA"):
        return {}
    return {key: value for key, value in FOR_FEW_NODES.items() if not after.get(key)}


def _config_changes(requested: Mapping[str, str], deployed: Deployed) -> list[Change]:
    return [
        Change(key, _shown(key, deployed.config.get(key)), RESET if value == "" else _shown(key, value) or "")
        for key, value in requested.items()
        if deployed.config.get(key, "") != value
    ]


def _version_body(release_train: str | None, version: str | None, auto_upgrade: bool | None) -> Body:
    train = {"releaseTrain": release_train} if release_train else {}
    return {**version_properties(version, auto_upgrade), **train}


def _version_changes(deployed: Deployed, requested: Body) -> list[Change]:
    now = {
        "version": deployed.version or None,
        "autoUpgradeMinorVersion": str(deployed.auto_upgrade),
        "releaseTrain": deployed.release_train or None,
    }
    return [
        Change(key, now[key], str(value))
        for key, value in requested.items()
        if str(now[key]).lower() != str(value).lower()
    ]


def _normalise(key: str, value: str) -> str:
    known = find_key(key)
    values = known.values if known and known.name == key else ("True", "False")
    return listed_value(values, value) or value


def _default(key: str) -> str:
    return str(setting_schema(key).get("default", ""))


def _shown(key: str, value: str | None) -> str | None:
    return BLANK if value is not None and is_secret(key) else value
