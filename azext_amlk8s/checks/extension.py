"""The extension: its state, its health report, its custom resource definition, its relay."""

from __future__ import annotations

from dataclasses import replace

from azext_amlk8s.checks.explanations import explained_problem
from azext_amlk8s.checks.facts import (
    ARC,
    BEFORE,
    CLUSTER,
    DEFAULT_EXTENSION,
    EXTENSIONS,
    HEALTH,
    INSTALLED,
    INSTANCE_TYPES,
    RELAY,
    TLS_SECRET,
    Facts,
    find_extension,
    installed_extension,
    properties_of,
    state_of,
    type_of,
)
from azext_amlk8s.checks.installation import setting_check, settings_of
from azext_amlk8s.diagnosis import explain_failure, extension_errors, read_reports
from azext_amlk8s.knowledge import load
from azext_amlk8s.refs import ExtensionRef, former_type_message, is_former_type
from azext_amlk8s.rules import CheckSpec, Observation, Problem, Results, Severity, Unavailable, rule
from azext_amlk8s.settings.releases import running_version

TROUBLES = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension"
TYPES = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
TLS_PAGE = "https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint"
BUSY = ("creating", "updating", "deleting")
CRD = "instancetypes.amlarc.azureml.com"


@rule(
    "K401",
    Severity.ERROR,
    title="Extension",
    requires="The extension is installed on the cluster.",
    source=TROUBLES,
    check=CheckSpec("extension", (EXTENSIONS,), phase=INSTALLED),
)
def extension_installed(facts: Facts) -> Results:
    """Found by its type, whatever its name is."""
    extension = find_extension(facts[EXTENSIONS])
    if extension is not None:
        version = running_version(extension)
        yield Observation(f"{extension.get('name')}{f', version {version}' if version else ''}")
        return
    workloads = {"training": ["Training"], "inference": ["Inference"]}
    enabled = workloads.get(facts.target.scenario, ["Training", "Inference"])
    config = " ".join(f"enable{word}=True" for word in enabled)
    fix = f"az amlk8s extension create {facts.cluster.cli_args} -n {DEFAULT_EXTENSION} --config {config}"
    message = f"The extension is not installed on {facts.cluster.name}."
    former = next((each for each in facts[EXTENSIONS] if is_former_type(type_of(each))), None)
    if former is not None:
        fix = former_type_message(str(former.get("name")), type_of(former))
    yield Problem(facts.cluster.name, message, fix=fix)


@rule(
    "K402",
    Severity.ERROR,
    title="Extension state",
    requires="The extension is in state Succeeded.",
    source=TROUBLES,
    check=CheckSpec("extension", (EXTENSIONS,), phase=INSTALLED, retry=True),
)
def extension_state(facts: Facts) -> Results:
    """Of an extension that failed, its statuses and errorInfo are explained."""
    extension = installed_extension(facts)
    state, ref = state_of(extension), extension_ref(facts)
    if state.lower() == "succeeded":
        yield Observation(state)
        return
    if state.lower() in BUSY:
        done = "deleted" if state.lower() == "deleting" else "created"
        fix = f"az amlk8s extension wait {ref.cli_args} --{done}"
        message = f"The extension '{ref.name}' is {state}; the operation is still in progress."
        yield Problem(ref.name, message, "Succeeded", state, fix)
        return
    statuses = extension_errors(extension)
    detail = f": {statuses[0].message}" if statuses else "."
    fix = f"az amlk8s extension diagnose {facts.cluster.cli_args} --output-folder ."
    yield explained_problem(
        explain_failure(statuses)[0],
        ref.name,
        f"The extension '{ref.name}' is {state}{detail}",
        expected="Succeeded",
        found=state,
        fix=fix,
    )


@rule(
    "K406",
    Severity.ERROR,
    title="Enabled workloads",
    requires="The extension has the workloads of the scenario enabled.",
    source=TROUBLES,
    check=CheckSpec("extension", (EXTENSIONS,), phase=INSTALLED),
)
def enabled_workloads(facts: Facts) -> Results:
    """The scenario of the check against the deployed settings."""
    settings = properties_of(installed_extension(facts)).get("configurationSettings") or {}
    values = {key.lower(): str(value).lower() for key, value in settings.items()}
    enabled = [word for word in ("Training", "Inference") if values.get(f"enable{word.lower()}") == "true"]
    for word in ("Training", "Inference"):
        if facts.target.scenario in (word.lower(), "both") and word not in enabled:
            name = extension_ref(facts).name
            fix = f"az amlk8s extension update {extension_ref(facts).cli_args} --config enable{word}=True"
            message = f"The extension '{name}' does not have {word.lower()} enabled."
            yield Problem(name, message, f"enable{word}=True", fix=fix)
    yield Observation(" and ".join(enabled).lower() or "none")


@rule(
    "K407",
    Severity.WARNING,
    title="Installed already",
    requires="The extension is not installed yet when an installation is checked.",
    source=TROUBLES,
    why="A cluster has one extension of this type; a second installation fails with ValidationFailed.",
    follows_any=("F112", "F113"),
    check=CheckSpec("extension", (EXTENSIONS,), phase=BEFORE),
)
def installed_already(facts: Facts) -> Results:
    """An extension that failed or is busy is reported by F112 and F113."""
    extension = find_extension(facts[EXTENSIONS])
    if extension is None:
        yield Observation("not installed yet")
        return
    ref = ExtensionRef(facts.cluster, str(extension.get("name")))
    if state_of(extension).lower() == "succeeded":
        message = f"The extension is already installed as '{ref.name}'; update it instead."
        fix = f"az amlk8s check {facts.cluster.cli_args}\naz amlk8s extension show {ref.cli_args}"
        yield Problem(ref.name, message, "no extension", ref.name, fix)


@rule(
    "K408",
    Severity.ERROR,
    title="Secret with the certificate",
    requires="The secret that sslSecret names exists, has cert.pem and key.pem, and its certificate is valid.",
    source=TLS_PAGE,
    why="The inference router does not start, or clients refuse its certificate.",
    check=CheckSpec("extension", (EXTENSIONS, TLS_SECRET)),
)
def tls_secret(facts: Facts) -> Results:
    """The secret is in namespace azureml; its private key is never kept."""
    secret = facts[TLS_SECRET]
    if secret is None:
        yield Observation("sslSecret is not set")
        return
    create = f"kubectl create secret generic {secret.name} -n azureml --from-file=cert.pem --from-file=key.pem"
    missing = [key for key in ("cert.pem", "key.pem") if key not in secret.keys]
    if not secret.exists:
        message = f"The secret '{secret.name}' that sslSecret names does not exist in namespace azureml."
        yield Problem(secret.name, message, "cert.pem and key.pem", "none", create)
    elif missing:
        message = (
            f"The secret '{secret.name}' lacks the {'key' if len(missing) == 1 else 'keys'} {' and '.join(missing)}."
        )
        fix = f"kubectl delete secret {secret.name} -n azureml\n{create}"
        yield Problem(secret.name, message, "cert.pem and key.pem", ", ".join(secret.keys) or "none", fix)
    elif secret.expired:
        message = f"The certificate in the secret '{secret.name}' expired on {secret.expires}."
        fix = f"Renew the certificate.\nkubectl delete secret {secret.name} -n azureml\n{create}"
        yield Problem(secret.name, message, "a valid certificate", secret.expires, fix)
    else:
        yield Observation(f"{secret.name}{f', valid until {secret.expires}' if secret.expires else ''}")


current_operation = setting_check(
    "F112 F113",
    "Existing extension",
    CheckSpec("extension", (CLUSTER, EXTENSIONS), phase=BEFORE, retry=True),
)
router_service = setting_check(
    "F103 F104",
    "Load balancer of the router",
    CheckSpec("extension", (CLUSTER, EXTENSIONS), phase=INSTALLED, clusters=ARC),
)
relay_setting = setting_check(
    "F116", "Relay setting", CheckSpec("extension", (CLUSTER, EXTENSIONS), phase=INSTALLED, clusters=ARC)
)
aks_settings = setting_check(
    "F117", "Settings for AKS only", CheckSpec("extension", (CLUSTER, EXTENSIONS), phase=INSTALLED, clusters=ARC)
)


@rule(
    "K403",
    Severity.ERROR,
    title="Health report",
    requires="No check in the health report of the extension has failed.",
    source=TROUBLES,
    check=CheckSpec("extension", (HEALTH,), phase=INSTALLED),
)
def health_report(facts: Facts) -> Results:
    """Codes below E45000 fail the installation, those from there on are warnings."""
    reports = read_reports(facts[HEALTH])
    if not reports:
        yield Observation("no health report in the cluster")
        return
    for report in reports:
        for check in report.failed:
            explanation = explain_failure(reports=(replace(report, checks=(check,)),))[0]
            message = f"The health check {check.name} failed in {report.hook}: {check.message or check.code}"
            problem = explained_problem(
                explanation,
                check.name,
                message,
                expected="Passed",
                found=check.code,
                fix="kubectl logs -n azureml healthcheck",
            )
            yield problem if _is_fatal(check.code) else replace(problem, severity=Severity.WARNING)
    yield Observation(", ".join(report.hook for report in reports))


@rule(
    "K404",
    Severity.ERROR,
    title="Definition of InstanceType",
    requires="The cluster has the custom resource definition of instance types.",
    source=TYPES,
    why="No instance types can be created, and attaching the cluster fails.",
    check=CheckSpec("extension", (EXTENSIONS, INSTANCE_TYPES), phase=INSTALLED, retry=True),
)
def instance_type_definition(facts: Facts) -> Results:
    """It appears only minutes after the extension has succeeded."""
    installed_extension(facts)
    types = facts[INSTANCE_TYPES]
    if types is None:
        fix = f"kubectl wait --for=condition=established crd/{CRD} --timeout=10m"
        message = f"The custom resource definition {CRD} does not exist; the extension creates it minutes later."
        yield Problem(CRD, message, "established", "none", fix)
    else:
        yield Observation("established")


@rule(
    "K405",
    Severity.ERROR,
    title="Azure Relay",
    requires="The relay that the extension was installed with exists.",
    source=TROUBLES,
    why="Jobs and deployments do not reach the cluster.",
    check=CheckSpec("extension", (EXTENSIONS,), (RELAY,), INSTALLED, clusters=ARC),
)
def relay_exists(facts: Facts) -> Results:
    """It is a resource in the cluster's resource group, and can be deleted there."""
    relay = facts.state(RELAY)
    if isinstance(relay, Unavailable) and relay.absent:
        resource_id = settings_of(facts).get("relayserver.hybridConnectionResourceID")
        message = f"The relay '{resource_id.rsplit('/', 1)[-1]}' does not exist: {relay.reason}"
        fix = (
            f"az amlk8s extension delete {extension_ref(facts).cli_args}\n"
            "Then create the extension again, and attach the cluster again."
        )
        yield Problem("relay", message, resource_id, "none", fix)


def extension_ref(facts: Facts) -> ExtensionRef:
    """The installed extension. Raises NotApplicable where there is none."""
    return ExtensionRef(facts.cluster, str(installed_extension(facts).get("name")))


def _is_fatal(code: str) -> bool:
    number = code.lstrip("Ee")
    return not number.isdigit() or int(number) < load("checks")["blocking"]
