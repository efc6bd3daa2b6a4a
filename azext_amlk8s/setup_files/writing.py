"""Setup files from what exists, and from the options of `up` and `init`: values, and YAML with comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.compute_view import properties_of
from azext_amlk8s.computes.model import namespace_of
from azext_amlk8s.instance_types.model import DEFAULT_NAME, types_of_objects
from azext_amlk8s.refs import ClusterRef, WorkspaceRef
from azext_amlk8s.settings.schema import find_key, setting_schema
from azext_amlk8s.settings.update import read_deployed
from azext_amlk8s.setup_files.model import OWNER_TAG, Resource

HEADER = """\
# To show what this file would change:  az amlk8s plan -f {file}
# To make the clusters match it:        az amlk8s apply -f {file}
# To see all keys:                      az amlk8s schema
"""
CERTIFICATE, KEY = "scoringFe.sslCert", "scoringFe.sslKey"
LONGEST_NAME = 16


def setup_name(text: str) -> str:
    """A valid name of a setup that is like a text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "setup"


def compute_name(cluster: str) -> str:
    """A valid name of a compute that is like the name of a cluster."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"k8s-{cluster}")[:LONGEST_NAME].strip("-")
    # Azure rejects a hyphen followed by digits at the end of a name.
    return re.sub(r"-(\d+)$", r"\1", name)


def export_setup(
    cluster: ClusterRef,
    extension: Resource | None,
    workspace: WorkspaceRef | None,
    compute: Resource | None,
    instance_types: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    """The setup file of a cluster as it is; a plan of it has no changes. Secrets are references to fill in."""
    owner = str(((compute or {}).get("tags") or {}).get(OWNER_TAG) or "")
    setup: dict[str, Any] = {"name": owner or setup_name(cluster.name)}
    if workspace:
        setup["workspace"] = {"resource_id": workspace.id}
    setup["clusters"] = [{"resource_id": cluster.id}]
    if extension:
        setup["extension"] = export_extension(extension)
    if compute:
        setup["compute"] = export_compute(compute)
        setup["roles"] = "ensure"  # elsewhere the roles of the attachment do not exist yet
    types = [
        types_of_obj.to_object() for types_of_obj in types_of_objects([dict(obj) for obj in instance_types]).values()
        if types_of_obj.name != DEFAULT_NAME
    ]  # fmt: skip
    return {**setup, **({"instance_types": types} if types else {})}


def export_extension(extension: Resource) -> dict[str, Any]:
    """The extension part: what a user gives, without what the tool or the service fills in."""
    deployed = read_deployed(extension)
    part: dict[str, Any] = {"name": str(extension["name"])}
    if deployed.auto_upgrade:
        part["release_train"] = deployed.release_train or "stable"
    elif deployed.version:
        part["version"] = deployed.version
    generated = _generated_keys()
    settings = {key: value for key, value in deployed.config.items() if is_given_by_users(key)}
    tls: dict[str, Any] = {}
    if CERTIFICATE in deployed.protected:
        tls["files"] = {"certificate": "cert.pem", "key": "key.pem"}
    elif "sslSecret" in settings:
        tls["kubernetes_secret"] = settings.pop("sslSecret")
    if tls and "sslCname" in settings:
        tls["cname"] = settings.pop("sslCname")
    part["settings"] = settings
    protected = sorted(deployed.protected - generated - {CERTIFICATE, KEY, "sslCertPemFile", "sslKeyPemFile"})
    if protected:
        part["protected_settings"] = {key: {"env": re.sub(r"\W", "_", key).upper()} for key in protected}
    return {**part, **({"tls": tls} if tls else {})}


def export_compute(compute: Resource) -> dict[str, Any]:
    """The compute part."""
    tags = {key: value for key, value in (compute.get("tags") or {}).items() if key != OWNER_TAG}
    identity = compute.get("identity") or {}
    ids = list(identity.get("userAssignedIdentities") or ())
    part: dict[str, Any] = {"name": str(compute["name"]), "namespace": namespace_of(compute)}
    if description := properties_of(compute).get("description"):
        part["description"] = str(description)
    if tags:
        part["tags"] = tags
    if ids:
        part["identity"] = {
            "type": "user_assigned",
            "user_assigned_identities": [{"resource_id": identity_id} for identity_id in ids],
        }
    elif str(identity.get("type") or "None").lower() == "systemassigned":
        part["identity"] = {"type": "system_assigned"}
    return part


def new_setup(
    cluster: ClusterRef,
    workspace: Mapping[str, str] | None,
    scenario: str,
    compute: str = "",
    namespace: str = "",
    settings: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The setup file for one cluster with sensible settings; the given settings override them.

    workspace is that part of the file. A cluster without a subscription is written by its name.
    """
    by_name = {"name": cluster.name, "resource_group": cluster.resource_group, "type": cluster.type}
    setup: dict[str, Any] = {"name": setup_name(cluster.name)}
    if workspace:
        setup["workspace"] = dict(workspace)
    setup["clusters"] = [{"resource_id": cluster.id} if cluster.subscription else by_name]
    setup["extension"] = {"settings": {**_sensible_settings(scenario, cluster.is_aks), **(settings or {})}}
    if workspace:
        setup["compute"] = {"name": compute or compute_name(cluster.name)}
        if namespace:
            setup["compute"]["namespace"] = namespace
        setup["compute"]["identity"] = {"type": "system_assigned"}
        setup["roles"] = "ensure"
    return setup


def as_yaml(setup: Mapping[str, Any], file: str, comments: Sequence[str] = ()) -> str:
    """A setup file as text, with how to use it."""
    import yaml

    lines = "".join(f"# {comment}\n" for comment in comments)
    body = yaml.safe_dump(dict(setup), sort_keys=False, width=120, allow_unicode=True)
    return f"{HEADER.format(file=file)}{lines}{body}"


def _sensible_settings(scenario: str, is_aks: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if scenario in ("training", "both"):
        settings["enableTraining"] = True
    if scenario in ("inference", "both"):
        service = "loadBalancer" if is_aks else "nodePort"
        settings |= {
            "enableInference": True,
            "inferenceRouterServiceType": service,
            "allowInsecureConnections": True,
        }
    return settings


def _generated_keys() -> set[str]:
    """The settings that the tool makes of the Azure resources beneath the extension."""
    declarations = knowledge.load("dependencies").values()
    return {
        key
        for declaration in declarations
        for section in ("config", "protected")
        for key in declaration.get(section) or ()
    }


def is_given_by_users(key: str) -> bool:
    """Whether a setting of a deployed extension is one that a user gives, and that no tool or service fills in."""
    known = find_key(key)
    if known is None or key in _generated_keys():
        return False
    return bool(setting_schema(known.name).get("x-set", "given") == "given")
