"""The extension: its own state, the health report that it left, its custom resource definition, its relay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from azext_amlk8s.checks import installation
from azext_amlk8s.checks.explained import explained
from azext_amlk8s.checks.facts import Facts, Unseen, installed, ours, state_of
from azext_amlk8s.checks.model import ARC, Check, When
from azext_amlk8s.diagnosis import explain_failure, extension_errors, read_reports
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule
from azext_amlk8s.settings.cluster_rules import F103, F104, F112, F113, F116, F117

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
TYPES = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
BUSY = ("creating", "updating", "deleting")
CRD = "instancetypes.amlarc.azureml.com"

K401 = Rule("K401", Severity.ERROR, "The cluster has the extension.", TROUBLES)
K402 = Rule("K402", Severity.ERROR, "The extension is in state Succeeded.", TROUBLES)
K403 = Rule("K403", Severity.ERROR, "The health report of the extension tells of no failed check.", TROUBLES)
K404 = Rule("K404", Severity.ERROR, "The cluster knows instance types.", TYPES)
K405 = Rule("K405", Severity.ERROR, "The relay that the extension was installed with is there.", TROUBLES)
K406 = Rule("K406", Severity.ERROR, "The extension has the workloads of the scenario that is asked for.", TROUBLES)


def is_installed(facts: Facts) -> Iterator[Finding]:
    """By its type, whatever its name is (field guide cluster-extension 7a)."""
    if ours(facts.extensions) is None:
        on = {"training": ["Training"], "inference": ["Inference"]}.get(facts.place.scenario, ["Training", "Inference"])
        config = " ".join(f"enable{word}=True" for word in on)
        fix = f"az amlk8s extension create {facts.place.words} -n azureml-extension --config {config}"
        yield K401.finding(facts.place.cluster, f"{facts.place.cluster} does not have the extension.", fix=fix)


def has_succeeded(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 4: states, statuses and errorInfo."""
    extension = installed(facts)
    if state_of(extension).lower() == "succeeded":
        return
    name, state = extension.get("name"), state_of(extension)
    words = f"{facts.place.words} -n {name}"
    if state.lower() in BUSY:
        done = "deleted" if state.lower() == "deleting" else "created"
        fix = f"az amlk8s extension wait {words} --{done}"
        message = f"The extension {name} is {state} at this moment."
        yield K402.finding(str(name), message, required="Succeeded", found=state, fix=fix)
        return
    coded = extension_errors(extension)
    told = explain_failure(coded)[0]
    said = f": {coded[0].message}" if coded else "."
    fix = f"az amlk8s extension diagnose {words} --output-folder ."
    message = f"The extension {name} is {state}{said}"
    yield explained(K402, told, str(name), message, required="Succeeded", found=state, fix=fix)


def report_is_good(facts: Facts) -> Iterator[Finding]:
    """Field guide cluster-extension 7c: codes below E45000 block, those above are diagnostic. No report is none bad."""
    for report in read_reports(facts.health):
        for check in report.failed:
            told = explain_failure(reports=(replace(report, checks=(check,)),))[0]
            message = f"The health check {check.name} failed in {report.hook}: {check.message or check.code}"
            fix = "kubectl logs -n azureml healthcheck"
            finding = explained(K403, told, check.name, message, required="Passed", found=check.code, fix=fix)
            yield finding if _blocks(check.code) else replace(finding, severity=Severity.WARNING)


def knows_instance_types(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 3.1: they appear only minutes after the extension has succeeded."""
    installed(facts)
    if facts.instance_types is None:
        fix = f"kubectl wait --for=condition=established crd/{CRD} --timeout=10m"
        message = f"The cluster has no custom resource definition {CRD}; it comes minutes after the extension."
        yield K404.finding(CRD, message, required="established", found="none", fix=fix)


def relay_is_there(facts: Facts) -> Iterator[Finding]:
    """Field guide compute 6.1, relay resource not provided: somebody removed it from the cluster's resource group."""
    if isinstance(facts.relay, Unseen) and facts.relay.absent:
        settings = installation.settings_of(facts)
        relay = settings.get("relayserver.hybridConnectionResourceID")
        message = f"The relay {relay.rsplit('/', 1)[-1]} is gone: {facts.relay.why}"
        fix = f"az amlk8s extension delete {facts.place.words} -n NAME; then create it again, and attach again"
        yield K405.finding("relay", message, required=relay, found="none", fix=fix)


def has_scenario(facts: Facts) -> Iterator[Finding]:
    """The scenario that is asked for against what is deployed."""
    extension, scenario = installed(facts), facts.place.scenario
    config = (extension.get("properties") or {}).get("configurationSettings") or {}
    there = {key.lower(): str(value).lower() for key, value in config.items()}
    for word in ("Training", "Inference"):
        if scenario in (word.lower(), "both") and there.get(f"enable{word}".lower()) != "true":
            message = f"The extension does not have {word.lower()} enabled."
            fix = (
                f"az amlk8s extension update {facts.place.words} -n {extension.get('name')} --config enable{word}=True"
            )
            yield K406.finding(str(extension.get("name")), message, required=f"enable{word}=True", fix=fix)


def _blocks(code: str) -> bool:
    number = code.lstrip("Ee")
    return not number.isdigit() or int(number) < load("checks")["blocking"]


CHECKS = (
    Check(K401, "extension", is_installed, ("extensions",), when=When.INSTALLED),
    Check(K402, "extension", has_succeeded, ("extensions",), when=When.INSTALLED, retry=True),
    Check(K406, "extension", has_scenario, ("extensions",), when=When.INSTALLED),
    *(
        installation.check(rule, "extension", ("cluster", "extensions"), when=When.BEFORE, retry=True)
        for rule in (F112, F113)
    ),
    *(
        installation.check(rule, "extension", ("cluster", "extensions"), when=When.INSTALLED, clusters=ARC)
        for rule in (F103, F104, F116, F117)
    ),
    Check(K403, "extension", report_is_good, ("health",), when=When.INSTALLED),
    Check(K404, "extension", knows_instance_types, ("extensions", "instance_types"), when=When.INSTALLED, retry=True),
    Check(K405, "extension", relay_is_there, ("extensions",), ("relay",), When.INSTALLED, clusters=ARC),
)
