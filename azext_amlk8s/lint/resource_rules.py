"""Rules over computes and relays in templates."""

from __future__ import annotations

from collections.abc import Sequence

from azext_amlk8s.lint.languages import COMMAND_LINES, TEMPLATES, TERRAFORM
from azext_amlk8s.lint.model import RELAY_NAMESPACES, Resource
from azext_amlk8s.lint.sources import COMPUTE_SPEC, EXTENSION_SPEC, PRIVATE_LINK, RELAY_SPEC
from azext_amlk8s.lint.values import Value
from azext_amlk8s.rules import Problem, Problems, Severity, rule

ERROR, WARNING = Severity.ERROR, Severity.WARNING
NAMESPACE_RULES = f"{RELAY_NAMESPACES}/authorizationrules"
HYBRID_CONNECTIONS = f"{RELAY_NAMESPACES}/hybridconnections"
HYBRID_RULES = f"{HYBRID_CONNECTIONS}/authorizationrules"
RIGHTS = ("Manage", "Send", "Listen")
# Azure fills these in; Terraform would otherwise send the compute again.
WRITTEN_BY_AZURE = ("properties", "body")


@rule(
    "L130",
    WARNING,
    title="Deploying a compute again",
    requires="An attached compute is deployed only where it does not exist.",
    source=COMPUTE_SPEC,
    why="Azure rejects a PUT of an attached compute, so that the second deployment of the template fails.",
    languages=TEMPLATES,
)
def unguarded_compute(resource: Resource) -> Problems:
    """A compute without condition in ARM and Bicep, or without ignore_changes in Terraform."""
    if resource.has_condition:
        return
    if resource.language != "terraform":
        message = "compute: deployed again with every deployment, which Azure rejects once it is attached."
        fix = "Add a condition with a parameter, such as deployCompute, that later deployments set to false."
        yield Problem("compute", message, fix=fix)
    elif not any(path.split(".")[0].split("[")[0] in ("all", *WRITTEN_BY_AZURE) for path in resource.ignored):
        message = "compute: without ignore_changes, a change that Azure made sends the compute again, which it rejects."
        fix = "lifecycle { ignore_changes = [body.properties.properties] }"
        yield Problem("compute", message, fix=fix)


@rule(
    "L131",
    ERROR,
    title="Required properties of a compute",
    requires="A Kubernetes compute has the ID of its cluster and a location.",
    source=COMPUTE_SPEC,
    why="Azure rejects it without them.",
    languages=TEMPLATES,
)
def compute_properties(resource: Resource) -> Problems:
    """A compute without resourceId or location."""
    properties = resource.get("properties")
    if resource.form == "module" or properties is None or not properties.known or properties.is_open:
        return
    if properties.get("resourceId") is None:
        message = "properties.resourceId: missing; expected the ID of an AKS or Arc-connected cluster."
        yield Problem("properties.resourceId", message, expected="a resource ID", fix="Add resourceId.")
    if resource.form == "resource" and resource.get("location") is None and not resource.body.is_open:
        message = "location: missing; expected the location of the workspace."
        yield Problem("location", message, expected="a location", fix="Add location.")


@rule(
    "L140",
    ERROR,
    title="Authorization rule of the relay",
    requires="The connection string of the relay is that of a rule of the hybrid connection.",
    source=RELAY_SPEC,
    why="That of a rule of the namespace has no EntityPath, so that the relay server cannot listen.",
    languages=TEMPLATES,
)
def relay_rule_on_namespace(resource: Resource, hybrid_rules: Sequence[Resource]) -> Problems:
    """A rule of the namespace in a file that has none of a hybrid connection."""
    if resource.type == NAMESPACE_RULES and not hybrid_rules:
        message = "authorization rule of the relay namespace; expected one of its hybrid connection."
        fix = "Use Microsoft.Relay/namespaces/hybridConnections/authorizationRules."
        yield Problem("relay", message, expected=HYBRID_RULES, found=NAMESPACE_RULES, fix=fix)


@rule(
    "L141",
    ERROR,
    title="Rights of the relay's rule",
    requires="The authorization rule of the hybrid connection has the rights Manage, Send and Listen.",
    source=PRIVATE_LINK,
    why="The extension sends and listens, and Azure Machine Learning manages the connection.",
    languages=TEMPLATES,
)
def relay_rights(resource: Resource) -> Problems:
    """A rule without one of the rights."""
    rights = resource.get("properties", "rights")
    if resource.type != HYBRID_RULES or rights is None or not rights.is_complete():
        return
    given = {item.text.lower() for item in rights.elements()}
    missing = [right for right in RIGHTS if right.lower() not in given]
    if missing:
        message = f"rights: {', '.join(missing)} missing; expected Manage, Send and Listen."
        yield Problem("properties.rights", message, expected=", ".join(RIGHTS), fix=f"Add {', '.join(missing)}.")


@rule(
    "L142",
    ERROR,
    title="Authorization of the hybrid connection",
    requires="The hybrid connection of the relay requires client authorization.",
    source=RELAY_SPEC,
    why="Anyone could send to the cluster otherwise.",
    languages=TEMPLATES,
)
def relay_client_authorization(resource: Resource) -> Problems:
    """requiresClientAuthorization: false."""
    value = resource.get("properties", "requiresClientAuthorization")
    if resource.type == HYBRID_CONNECTIONS and value is not None and value.data is False:
        message = "requiresClientAuthorization: false; expected true."
        path = "properties.requiresClientAuthorization"
        yield Problem(path, message, expected="true", found="false", fix="Set requiresClientAuthorization to true.")


@rule(
    "L143",
    WARNING,
    title="Role on the relay",
    requires="A role for the relay is assigned on the relay of the extension.",
    source=EXTENSION_SPEC,
    why="The first relay of a list may be any other one.",
    languages=(TERRAFORM, COMMAND_LINES),
)
def role_on_first_relay(scope: Value | None) -> Problems:
    """A role whose scope is the first of all relays."""
    if scope is not None and "list of microsoft.relay/" in scope.hint:
        message = "scope: the first relay namespace of a list, which may be another one."
        fix = "Deploy the relay in the same file and refer to it, or give its ID as a parameter."
        yield Problem("scope", message, fix=fix)
