"""Rules over the extension in templates: what the CLI would have added, and where it is deployed."""

from __future__ import annotations

from collections.abc import Iterator

from azext_amlk8s.knowledge import load
from azext_amlk8s.lint.languages import TEMPLATES
from azext_amlk8s.lint.model import CONNECTED, ExtensionUse, cluster_kind
from azext_amlk8s.lint.setting_rules import section_name
from azext_amlk8s.lint.settings import ReadSettings
from azext_amlk8s.lint.sources import DEPLOY, EXTENSION_SPEC, HTTPS, PRIVATE_LINK
from azext_amlk8s.rules import Problem, Problems, Severity, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING


@rule(
    "L110",
    ERROR,
    title="Settings that only the CLI reads",
    requires="A template gives the certificate as scoringFe.sslCert and scoringFe.sslKey, base64-encoded.",
    source=HTTPS,
    why="The CLI translates the settings for PEM files; the chart does not know them.",
    languages=TEMPLATES,
)
def cli_settings(use: ExtensionUse, read: ReadSettings) -> Problems:
    """sslCertPemFile and sslKeyPemFile in a template."""
    for key, successor in load("lint")["onlyCli"].items():
        if use.is_template and key in read.marks:
            message = f"{key}: only the CLI reads it; expected '{successor}', base64-encoded."
            section = section_name(use, "protected")
            fix = f"Replace {key} with {successor} in {section}, with the base64-encoded content of the PEM file."
            yield Problem(key, message, expected=successor, found=key, fix=fix, related=(successor,))


@rule(
    "L111",
    WARNING,
    title="Settings that the CLI adds",
    requires="A template gives the settings with the identity of the cluster that the CLI adds.",
    source=DEPLOY,
    why="Without them, components of the extension do not know the cluster and its location.",
    languages=TEMPLATES,
)
def injected_settings(use: ExtensionUse, read: ReadSettings) -> Problems:
    """Settings that are not in a template, although it installs the extension."""
    if not use.is_template or use.is_open:
        return
    wanted = list(load("lint")["injected"]["always"])
    if read.settings.is_enabled("enableInference"):
        wanted += load("lint")["injected"]["inference"]
    missing = [key for key in wanted if key not in read.values]
    if missing:
        section = section_name(use, "config")
        message = f"{section}: {_listed(missing)} missing, which the CLI adds."
        yield Problem(missing[0], message, fix=f"Add {_listed(missing)} to {section}.", related=tuple(missing[1:]))


@rule(
    "L112",
    WARNING,
    title="Imitated settings of the CLI",
    requires="The settings with the identity of the cluster have the values that the CLI gives them.",
    source=DEPLOY,
    why="Components of the extension identify the cluster by them.",
    follows=("S100",),
    languages=TEMPLATES,
)
def imitated_settings(use: ExtensionUse, read: ReadSettings) -> Problems:
    """IDs that are no resource IDs, IDs of other clusters, and domains of no region."""
    if not use.is_template:
        return
    known: dict[str, str] = {}
    for key in load("lint")["clusterIds"]:
        value = read.values.get(key)
        text = value.text if value is not None else ""
        if value is not None and not text and value.hint.lower().endswith(".name"):
            message = f"{key}: the name of the cluster; expected its resource ID."
            yield Problem(key, message, expected="a resource ID", fix=f"Set {key} to the cluster's ID.")
        if not text:
            continue
        if not text.lower().startswith("/subscriptions/"):
            message = f"{key}: '{text}'; expected the resource ID of the cluster."
            yield Problem(key, message, expected="a resource ID", found=text, fix=f"Set {key} to the cluster's ID.")
            continue
        first = next(iter(known), "")
        if first and known[first].lower() != text.lower():
            message = f"{key}: another cluster than in {first}; expected the same resource ID."
            yield Problem(key, message, expected=known[first], found=text, fix="Set both to the cluster's ID.")
        known.setdefault(key, text)
    yield from _domain(read)


def _domain(read: ReadSettings) -> Iterator[Problem]:
    """A domain that is not that of a region; of an unknown one only a bare location is certain to be wrong."""
    value = read.values.get("domain")
    if value is None or not (value.text or value.hint.lower().endswith(".location")):
        return
    domains = [cloud["domain"] for cloud in load("clouds")["clouds"].values()]
    text = value.text.lower()
    if text.startswith("ignored") or not text.endswith(tuple(f".{domain}" for domain in domains)):
        shown = f"'{value.text}'" if value.text else "a location"
        message = f"domain: {shown}; expected the location of the cluster with '.{domains[0]}'."
        fix = f"Set domain to the location followed by .{domains[0]}."
        yield Problem("domain", message, expected=f"LOCATION.{domains[0]}", found=value.text, fix=fix)


@rule(
    "L113",
    ERROR,
    title="Settings that the CLI derives",
    requires="A template gives the settings of the chart that the CLI derives from the documented ones.",
    source=DEPLOY,
    why="The chart reads only the derived settings.",
    follows=("S107",),
    languages=TEMPLATES,
)
def derived_settings(use: ExtensionUse, read: ReadSettings) -> Problems:
    """sslSecret without scoringFe.sslSecret, nodePort, an internal load balancer, and copies of secrets."""
    if not use.is_template or use.is_open:
        return
    settings = read.settings
    wanted: list[tuple[str, str]] = []
    if settings.is_enabled("enableInference"):
        if settings.get("sslSecret") and not settings.is_enabled("allowInsecureConnections"):
            wanted.append(("sslSecret", "scoringFe.sslSecret"))
        if settings.get("inferenceRouterServiceType") == "nodePort":
            wanted.append(("inferenceRouterServiceType", "scoringFe.serviceType.nodePort"))
        elif settings.get("internalLoadBalancerProvider") == "azure":
            wanted.append(("internalLoadBalancerProvider", "scoringFe.serviceType.internalLoadBalancer"))
    for given, copy in load("lint")["copies"].items():
        if given in read.values and settings.get(given) or given in settings.uncertain:
            wanted.append((given, copy))
    for given, derived in wanted:
        if derived not in read.values:
            message = f"{derived}: missing; the chart reads it instead of {given}, and only the CLI derives it."
            fix = f"Add {derived} next to {given}."
            yield Problem(given, message, expected=derived, fix=fix, related=(derived,))


@rule(
    "L114",
    WARNING,
    title="Relay of an Arc-connected cluster",
    requires="On an Arc-connected cluster, a template gives the relay that the CLI creates.",
    source=PRIVATE_LINK,
    why="The cloud reaches the cluster through it.",
    languages=TEMPLATES,
)
def relay_settings(use: ExtensionUse, read: ReadSettings) -> Problems:
    """An Arc-connected cluster without the settings of its relay."""
    if not use.is_template or use.is_open or use.cluster != CONNECTED:
        return
    switch = read.values.get("relayserver.enabled")
    if switch is not None and str(switch.data).lower() == "false":
        message = "relayserver.enabled: False, but an Arc-connected cluster needs the relay."
        yield Problem("relayserver.enabled", message, expected="True", found="False", fix="Set it to True.")
        return
    missing = [key for key in load("lint")["relay"] if key not in read.values]
    if missing:
        message = f"{_listed(missing)}: missing; the CLI creates the relay of an Arc-connected cluster and adds them."
        fix = (
            "Deploy a Microsoft.Relay namespace with a hybrid connection, and give its name, ID and connection string."
        )
        yield Problem(missing[0], message, fix=fix, related=tuple(missing[1:]))


@rule(
    "L120",
    ERROR,
    title="Scope of the extension resource",
    requires="The extension is deployed on an AKS or Arc-connected cluster.",
    source=EXTENSION_SPEC,
    why="Without a scope it would be deployed to the resource group, which Azure rejects.",
    languages=TEMPLATES,
)
def extension_scope(use: ExtensionUse) -> Problems:
    """A resource without scope, or on something else than a cluster."""
    resource = use.resource
    if resource is None or resource.form not in ("resource", "azapi") or "/providers/" in resource.type:
        return
    attribute = "parent_id" if resource.form == "azapi" else "scope"
    scope = resource.scope
    if scope is None:
        name = resource.name.description.lower() if resource.name is not None else ""
        if "/microsoft.kubernetesconfiguration" not in name:
            message = f"{attribute}: missing; expected the cluster."
            yield Problem("scope", message, expected="a cluster", fix=f"Add {attribute} with the cluster.")
    elif scope.text and "/" in scope.text and not cluster_kind(scope):
        message = f"{attribute}: '{scope.text}'; expected an AKS or Arc-connected cluster."
        fix = f"Set {attribute} to the cluster, such as a Microsoft.ContainerService/managedClusters."
        yield Problem("scope", message, expected="a cluster", found=scope.text, fix=fix)


@rule(
    "L121",
    ERROR,
    title="Scope in the cluster",
    requires="The extension has the scope of the whole cluster and the release namespace azureml.",
    source=EXTENSION_SPEC,
    why="Its components are found only there.",
    languages=TEMPLATES,
)
def release_namespace(use: ExtensionUse) -> Problems:
    """properties.scope.namespace, or another release namespace."""
    resource = use.resource
    if resource is None:
        return
    if resource.get("properties", "scope", "namespace") is not None:
        fix = "Use scope.cluster with releaseNamespace azureml."
        message = "scope.namespace: the extension belongs to the whole cluster; expected scope.cluster."
        yield Problem("properties.scope.namespace", message, expected="cluster", found="namespace", fix=fix)
    namespace = resource.get("properties", "scope", "cluster", "releaseNamespace")
    if namespace is not None and namespace.text and namespace.text != "azureml":
        message = f"releaseNamespace: '{namespace.text}'; expected 'azureml'."
        fix = "Set releaseNamespace to azureml."
        yield Problem(
            "properties.scope.cluster.releaseNamespace", message, expected="azureml", found=namespace.text, fix=fix
        )


@rule(
    "L122",
    ERROR,
    title="Identity of the extension",
    requires="On an Arc-connected cluster, the extension has a system-assigned identity.",
    source=EXTENSION_SPEC,
    why="The extension signs in to Azure with it.",
    languages=TEMPLATES,
)
def extension_identity(use: ExtensionUse) -> Problems:
    """An Arc-connected cluster without identity."""
    resource = use.resource
    if resource is None or use.cluster != CONNECTED or resource.form == "module" or not resource.body.known:
        return
    identity = resource.get("identity")
    if identity is None and not resource.body.is_open:
        fix = 'Add identity { type = "SystemAssigned" }.' if resource.language == "terraform" else (
            "Add identity with type SystemAssigned."
        )  # fmt: skip
        yield Problem("identity", "identity: missing; expected SystemAssigned.", expected="SystemAssigned", fix=fix)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
