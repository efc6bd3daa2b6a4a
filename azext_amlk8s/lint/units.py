"""Resources of templates into what the rules look at, and the findings on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from azext_amlk8s.knowledge import load
from azext_amlk8s.lint import command_rules, extension_rules, pitfall_rules, resource_rules
from azext_amlk8s.lint.certificates import certificate_findings
from azext_amlk8s.lint.compute_units import lint_names
from azext_amlk8s.lint.instance_type_units import lint_manifest, lint_types_of_compute
from azext_amlk8s.lint.model import (
    COMPUTES,
    EXTENSIONS,
    RELAY_NAMESPACES,
    ExtensionUse,
    LintFinding,
    Resource,
    Result,
    cluster_kind,
    cluster_kind_of,
)
from azext_amlk8s.lint.settings import ReadSettings, evaluate_settings, read_settings
from azext_amlk8s.lint.values import HOLE, Value
from azext_amlk8s.lint.wording import adapt
from azext_amlk8s.refs import EXTENSION_TYPE
from azext_amlk8s.rules import Finding, Report, rules_in
from azext_amlk8s.settings import evaluate_version_rules

PITFALLS = (
    pitfall_rules.version_replaces,
    pitfall_rules.version_with_train,
    pitfall_rules.empty_values,
    pitfall_rules.resource_of_cluster,
)
ROLE_ASSIGNMENTS = "microsoft.authorization/roleassignments"
# Rules about commands that say nothing more where a rule about templates has reported.
CAUSES = {"S104": "L110", "S109": "L110", "V103": "L151"}


def evaluate_resources(resources: Sequence[Resource], result: Result) -> None:
    """Add the findings on the resources of one template."""
    uses = [use for resource in resources if (use := extension_of(resource))]
    for use in uses:
        evaluate_extension(use, result)
    installs = bool(uses)
    for resource in resources:
        if resource.type == COMPUTES and is_kubernetes(resource):
            _evaluate_compute(resource, result)
        elif resource.type.startswith(RELAY_NAMESPACES) and installs:
            _evaluate_relay(resource, resources, result)
        elif resource.type == ROLE_ASSIGNMENTS:
            result.add(resource_rules.role_on_first_relay(resource.scope), resource.mark_of("scope"))
        if resource.type == "kubernetes_manifest":
            lint_manifest(resource, result)
        for finding in (*pitfall_rules.relay_module(resource), *pitfall_rules.legacy_resource(resource)):
            result.add([finding], resource.mark_of(*finding.subject.split(".")))


def extension_of(resource: Resource) -> ExtensionUse | None:
    """The AzureML extension that a resource installs, None for any other resource."""
    kind = resource.get("properties", "extensionType")
    # Old templates write the type of the cluster before: {cluster type}/providers/extensions.
    resource_type = EXTENSIONS if resource.type.endswith("/providers/extensions") else resource.type
    if resource_type != EXTENSIONS or kind is None or kind.text.lower() != EXTENSION_TYPE:
        return None
    cluster = cluster_kind(resource.scope) or cluster_kind(resource.name) or cluster_kind_of(resource.type)
    cluster = cluster or load("lint")["azurerm"].get(resource.label, "")
    return ExtensionUse(
        "azurerm" if resource.form == "azurerm" else "resource",
        resource.mark,
        resource.get("properties", "configurationSettings"),
        resource.get("properties", "configurationProtectedSettings"),
        resource.get("properties", "version"),
        resource.get("properties", "autoUpgradeMinorVersion"),
        resource.get("properties", "releaseTrain"),
        cluster,
        is_update=resource.form == "azapi_update",
        resource=resource,
    )


def evaluate_extension(use: ExtensionUse, result: Result) -> None:
    """Add the findings on the extension, without those that only follow from others."""
    read = read_settings(use)
    found, skipped = evaluate_settings(use, read)
    for key in sorted(read.settings.uncertain):
        value = read.values.get(key)
        reason = (value.why if value is not None else "") or "its value is not known"
        result.skipped.append((read.marks.get(key, use.mark), f"{key} is not evaluated: {reason}"))
    result.skipped += [(use.mark, reason) for reason in skipped]
    found += certificate_findings(use, read, result)
    found = [*read.findings, *found, *_resource_findings(use, read), *_version_findings(use)]
    result.findings += without_consequences(LintFinding(adapt(each.finding, use), each.mark) for each in found)


def without_consequences(findings: Iterable[LintFinding]) -> list[LintFinding]:
    """Findings about one thing without those that follow from others of them."""
    found = list(findings)
    kept = Report.of([each.finding for each in found]).findings
    reported = {each.finding.id for each in found}
    return [each for each in found if each.finding in kept and CAUSES.get(each.finding.id) not in reported]


def _resource_findings(use: ExtensionUse, read: ReadSettings) -> list[LintFinding]:
    findings: list[LintFinding] = []
    for rule in rules_in(extension_rules.__name__):
        arguments = (use,) if rule.id >= "L120" else (use, read)
        findings += [_place(use, read, finding) for finding in rule(*arguments)]
    findings += [_place(use, read, finding) for finding in command_rules.host_name(use, read)]
    for pitfall in PITFALLS:
        findings += [_place(use, read, finding) for finding in pitfall(use)]
    return findings


def _place(use: ExtensionUse, read: ReadSettings, finding: Finding) -> LintFinding:
    if finding.subject in read.marks:
        return LintFinding(finding, read.marks[finding.subject])
    if use.config is not None and finding.id in ("L111", "L114"):
        path = ("properties", "configurationSettings")
        return LintFinding(finding, use.resource.mark_of(*path) if use.resource else use.config.mark)
    given = use.config.mark if use.config is not None else use.mark
    mark = use.resource.mark_of(*finding.subject.split(".")) if use.resource else given
    return LintFinding(finding, mark)


def _version_findings(use: ExtensionUse) -> list[LintFinding]:
    values = (use.version, use.auto_upgrade, use.release_train)
    if any(value is not None and not value.known for value in values):
        return []
    version, upgrade, train = (value.data if value is not None else None for value in values)
    mark = use.version.mark if use.version is not None else use.mark
    found = evaluate_version_rules(
        str(version) if version else None, str(upgrade).lower() == "true", str(train) if train else None
    )
    return [LintFinding(finding, mark) for finding in found]


def is_kubernetes(resource: Resource) -> bool:
    """Whether a compute is of the type Kubernetes."""
    kind = resource.get("properties", "computeType")
    return kind is not None and kind.text.lower() == "kubernetes"


def _evaluate_compute(resource: Resource, result: Result) -> None:
    result.add(resource_rules.unguarded_compute(resource), resource.mark)
    for finding in (*resource_rules.compute_properties(resource), *pitfall_rules.compute_module(resource)):
        result.add([finding], resource.mark_of(*finding.subject.split(".")))
    name = Value(_last_segment(resource.name), resource.name.mark) if resource.name is not None else None
    lint_names(name, resource.get("properties", "properties", "namespace"), result, placeholder=HOLE)
    lint_types_of_compute(resource, result)


def _last_segment(name: Value) -> str:
    """The last part of a name such as workspace/compute, also where only the workspace is not known; else empty."""
    text = name.text or (name.hint if name.hint.startswith(f"{HOLE}/") else "")
    last = text.rsplit("/", 1)[-1]
    return "" if HOLE in last else last


def _evaluate_relay(resource: Resource, resources: Sequence[Resource], result: Result) -> None:
    hybrid_rules = [each for each in resources if each.type == resource_rules.HYBRID_RULES]
    result.add(resource_rules.relay_rule_on_namespace(resource, hybrid_rules), resource.mark_of("type"))
    result.add(resource_rules.relay_rights(resource), resource.mark_of("properties", "rights"))
    path = ("properties", "requiresClientAuthorization")
    result.add(resource_rules.relay_client_authorization(resource), resource.mark_of(*path))
