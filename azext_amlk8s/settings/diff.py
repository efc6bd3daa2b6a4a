"""What is asked for against what is deployed: the difference per key, what is sent, what would be lost, what stops."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.model import BLANK, Settings
from azext_amlk8s.settings.plan import FOR_FEW_NODES, derived_of, is_secret, version_of, with_copies
from azext_amlk8s.settings.schema import find, schema

WORKLOADS = ("enableTraining", "enableInference")
SPENT = "internalLoadBalancerProvider"
SERVICE_TYPES = ("scoringFe.serviceType.nodePort", "scoringFe.serviceType.internalLoadBalancer")
FOLLOWED = {
    "enableInference", "inferenceRouterServiceType", SPENT, "sslSecret", "allowInsecureConnections", "isAKSMigration",
}  # fmt: skip
SOURCE = "https://learn.microsoft.com/azure/azure-arc/kubernetes/extensions"

U101 = Rule("U101", Severity.ERROR, "What ties the extension to its cluster stays as it is.", SOURCE)
U102 = Rule("U102", Severity.ERROR, "A deployed setting stays among the open or the protected ones.", SOURCE)
U103 = Rule("U103", Severity.ERROR, "No protected setting that is deployed is lost.", SOURCE)
U104 = Rule("U104", Severity.WARNING, "The deployed certificate covers a new sslCname.", SOURCE)


@dataclass(frozen=True)
class Deployed:
    """An extension as ARM describes it. protected holds names only: the service never gives their values back.

    Keys stand as they were written, since the chart minds their case; truth values are written one way.
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
    """One thing that changes; before is None for what is not there yet."""

    key: str
    before: str | None
    after: str

    def __str__(self) -> str:
        before = "not set" if self.before is None else self.before
        return f"{self.key}: {before} -> {self.after}"


@dataclass(frozen=True)
class Update:
    """An update: its differences, the PATCH body (empty when nothing changes), the protected settings it would lose."""

    changes: tuple[Change, ...]
    body: Mapping[str, Any]
    lost: tuple[str, ...]


def deployed(extension: Mapping[str, Any]) -> Deployed:
    """An extension of ARM (properties may be null at any place) as values that compare."""
    properties = extension.get("properties") or {}
    config = properties.get("configurationSettings") or {}
    return Deployed(
        {key: _normal(key, str(value)) for key, value in config.items()},
        frozenset(properties.get("configurationProtectedSettings") or {}),
        str(properties.get("provisioningState") or ""),
        str(properties.get("version") or ""),
        str(properties.get("releaseTrain") or ""),
        bool(properties.get("autoUpgradeMinorVersion")),
    )


def differences(
    settings: Settings,
    there: Deployed,
    *,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> tuple[Change, ...]:
    """What `create` asks for and the cluster does not have: of what was given and what follows from it.

    A protected setting counts where its name is not there; its value cannot be compared.
    """
    wanted = {**derived_of(settings), **settings.config}
    wanted.update({key: settings.get(key, "False") for key in WORKLOADS})
    changes = _of_config({key: value for key, value in wanted.items() if key not in settings.protected}, there)
    changes += [Change(key, None, BLANK) for key in sorted(with_copies(settings.protected).keys() - there.protected)]
    return (*changes, *_of_version(there, _version_body(release_train, version, auto_upgrade)))


def plan_update(
    settings: Settings,
    there: Deployed,
    restored: Mapping[str, str],
    *,
    few_nodes: bool = False,
    release_train: str | None = None,
    version: str | None = None,
    auto_upgrade: bool | None = None,
) -> Update:
    """The PATCH that brings what is deployed to what is asked for, and nothing else.

    Plain settings merge by key, so only those that differ are sent. Protected settings are replaced as a whole (field
    guide cluster-extension 4), so the bag is sent only when something in it was given, and then with all that
    `restored` holds; what is deployed and in neither would be lost. few_nodes: fewer than three can take a router.
    """
    wanted = {**_follows(settings, there), **settings.config}
    body_of_version = _version_body(release_train, version, auto_upgrade)
    of_version = _of_version(there, body_of_version)
    protected = with_copies(settings.protected)
    if few_nodes and (_of_config(wanted, there) or protected or of_version):
        wanted = {**_for_few(settings, there), **wanted}
    changes = _of_config(wanted, there)
    properties: dict[str, Any] = {}
    if changes:
        properties["configurationSettings"] = {change.key: wanted[change.key] for change in changes}
    lost: tuple[str, ...] = ()
    if protected:
        bag = {**restored, **protected}
        properties["configurationProtectedSettings"] = bag
        changes += [Change(key, BLANK if key in there.protected else None, BLANK) for key in sorted(protected)]
        lost = tuple(sorted(there.protected - bag.keys() - set(_told("meaningless"))))
    if of_version:
        properties.update(body_of_version)
    return Update((*changes, *of_version), {"properties": properties} if properties else {}, lost)


def overlaid(there: Deployed, settings: Settings) -> Settings:
    """What the cluster will have after an update, with a blank for every protected value that is not given.

    The provider of an internal load balancer is spent when the router is given another service type: the service cannot
    remove a setting, but nothing reads this one then.
    """
    before = there.settings()
    follows = {*SERVICE_TYPES, *(["scoringFe.sslSecret"] if settings.get("sslSecret") else [])}
    spent = follows if FOLLOWED & {*settings.config, *settings.protected} else set()
    config = {**{key: value for key, value in before.config.items() if key not in spent}, **settings.config}
    if settings.get("inferenceRouterServiceType", "loadBalancer") != "loadBalancer":
        config = {key: value for key, value in config.items() if key != SPENT or key in settings.config}
    return Settings(config, {**before.protected, **settings.protected})


def judge_update(settings: Settings, there: Deployed) -> tuple[Finding, ...]:
    """What cannot be changed: what ties the extension to its cluster, and the bag that a setting is in."""
    findings = [
        U101.finding(
            key,
            f"{key} ties the extension to its cluster and cannot be changed: it is {there.config[key]}.",
            required=there.config[key],
            found=settings.get(key),
            fix=f"Leave {key} out.",
        )
        for key in _told("immutable")
        if settings.get(key) and there.config.get(key) and settings.get(key) != there.config[key]
    ]
    for given, held, option in (
        (settings.config, there.protected, "--config-protected"),
        (settings.protected, there.config, "--config"),
    ):
        kind = "protected" if held is there.protected else "open"
        findings += [
            U102.finding(
                key,
                f"{key} is deployed among the {kind} settings; given among the others it would stand in both, and the "
                "service cannot remove a setting.",
                fix=f"{option} {key}=VALUE",
            )
            for key in sorted(given.keys() & set(held))
        ]
    return tuple(findings)


def judge_name_of_certificate(settings: Settings, there: Deployed) -> tuple[Finding, ...]:
    """A certificate that is deployed cannot be read back, so not be compared with a new name (guide 2.2, step 5)."""
    before, name = there.settings().get("sslCname"), settings.get("sslCname")
    if not name or name == before or "scoringFe.sslCert" not in there.protected - settings.protected.keys():
        return ()
    message = f"The certificate that is deployed must cover {name}, and cannot be read back to see whether it does."
    fix = "--config-protected sslCertPemFile=CERT.pem sslKeyPemFile=KEY.pem   # to have it judged"
    return (U104.finding("sslCname", message, required=name, found=before, fix=fix),)


def judge_lost(update: Update) -> tuple[Finding, ...]:
    """Protected settings that the service would drop: it replaces them as a whole and gives none back."""
    wanted = _told("input")
    return tuple(
        U103.finding(
            key,
            f"{key} is deployed as a protected setting and would be lost: the service replaces all of them together, "
            "and its value cannot be read back.",
            fix=f"--config-protected {wanted.get(key, f'{key}=VALUE')}",
        )
        for key in update.lost
    )


def stops(changes: tuple[Change, ...], there: Deployed) -> Mapping[str, tuple[Change, ...]]:
    """What runs now and stops with these changes: jobs, endpoints, each with the changes that stop it.

    A value that is not set counts as its default, so that only a real transition is told (field guide 2.2, step 3).
    """
    stopped: dict[str, list[Change]] = {}
    for change in changes:
        if (change.before or _default(change.key)).lower() == change.after.lower():
            continue
        for told in _told("stops"):
            if not fnmatch.fnmatchcase(change.key, told["key"]) or change.after != told.get("to", change.after):
                continue
            for what in told["what"]:
                if there.config.get(_told("runs")[what]) == "True":
                    stopped.setdefault(what, []).append(change)
    return {what: tuple(found) for what, found in stopped.items()}


def _follows(settings: Settings, there: Deployed) -> Mapping[str, str]:
    if not FOLLOWED & {*settings.config, *settings.protected}:
        return {}
    derived = dict(derived_of(overlaid(there, settings)))
    for key in SERVICE_TYPES:
        if there.config.get(key) == "True":
            derived.setdefault(key, "False")
    return {key: value for key, value in derived.items() if value != BLANK}


def _for_few(settings: Settings, there: Deployed) -> Mapping[str, str]:
    """What `create` chooses for few nodes: with three routers any update would fail (health code E40002)."""
    after = overlaid(there, settings)
    if not after.on("enableInference") or after.get("inferenceRouterHA"):
        return {}
    return {key: value for key, value in FOR_FEW_NODES.items() if not after.get(key)}


def _of_config(wanted: Mapping[str, str], there: Deployed) -> list[Change]:
    return [
        Change(key, _shown(key, there.config.get(key)), _shown(key, value) or "")
        for key, value in wanted.items()
        if there.config.get(key) != value
    ]


def _version_body(release_train: str | None, version: str | None, auto_upgrade: bool | None) -> dict[str, Any]:
    return {**version_of(version, auto_upgrade), **({"releaseTrain": release_train} if release_train else {})}


def _of_version(there: Deployed, wanted: Mapping[str, Any]) -> list[Change]:
    now = {
        "version": there.version or None,
        "autoUpgradeMinorVersion": str(there.auto_upgrade),
        "releaseTrain": there.release_train or None,
    }
    return [
        Change(key, now[key], str(value))
        for key, value in wanted.items()
        if str(now[key]).lower() != str(value).lower()
    ]


def _normal(key: str, value: str) -> str:
    known = find(key)
    values = known.values if known and known.name == key else ("True", "False")
    return next((one for one in values if one.lower() == value.lower()), value)


def _default(key: str) -> str:
    return str((schema()["properties"].get(key) or {}).get("default", ""))


def _shown(key: str, value: str | None) -> str | None:
    return BLANK if value is not None and is_secret(key) else value


def _told(name: str) -> Any:
    return knowledge.load("lifecycle")[name]
