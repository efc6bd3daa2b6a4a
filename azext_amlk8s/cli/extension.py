"""az amlk8s extension"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import certificate, completers, options, settings, texts, upgrade
from azext_amlk8s.cli.declaration import Command, Group, Option, Row
from azext_amlk8s.cli.groups import SUMMARIES
from azext_amlk8s.cli.plan_table import plan_rows
from azext_amlk8s.cli.settings import SETTINGS, VERSION, documented_setting_parameters, setting_parameters
from azext_amlk8s.cli.tables import finding_rows, shorten

AKS = "-t managedClusters -c my-aks -g my-group"
ARC = "-t connectedClusters -c my-cluster -g my-group"
HTTPS = (
    "--config enableInference=True inferenceRouterServiceType=nodePort sslCname=ml.contoso.com "
    "--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem"
)


def extension_row(extension: Mapping[str, Any]) -> Row:
    """The row of one extension as ARM describes it; its version is the running one, not the pinned one."""
    properties = extension.get("properties") or {}
    values = {key.lower(): value for key, value in (properties.get("configurationSettings") or {}).items()}
    enabled = [name for name in ("Training", "Inference") if str(values.get(f"enable{name.lower()}")).lower() == "true"]
    return {
        "Name": extension.get("name"),
        "State": properties.get("provisioningState"),
        "Version": properties.get("currentVersion") or properties.get("version"),
        "Train": properties.get("releaseTrain"),
        "AutoUpgrade": properties.get("autoUpgradeMinorVersion"),
        "Scenario": " and ".join(enabled),
        **({"Error": error} if (error := _first_error(properties)) else {}),
    }


def extension_rows(extensions: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each extension."""
    return [extension_row(extension) for extension in extensions]


def _first_error(properties: Mapping[str, Any]) -> str:
    if str(properties.get("provisioningState")).lower() != "failed":
        return ""
    for status in properties.get("statuses") or []:
        if status and status.get("message"):
            return shorten(f"{status.get('code') or ''} {status['message']}", 40)
    return ""


def extension_or_plan(result: Mapping[str, Any]) -> Row | list[Row]:
    """The row of an extension, or the rows of the plan of a dry run."""
    return plan_rows(result) if "method" in result else extension_row(result)


def component_rows(components: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each component."""
    return [
        {
            "Name": component["name"],
            "Kind": component["kind"].removesuffix(" resource"),
            "Scenario": "both" if len(component["scenarios"]) > 1 else component["scenarios"][0],
            "Role": component["role"],
            "Unless": component["unless"],
        }
        for component in components
    ]


def bundle_row(bundle: Mapping[str, Any]) -> Row:
    """The row of a diagnosis."""
    return {
        "Archive": bundle["archive"],
        "Page": bundle["page"],
        "Files": len(bundle["files"]),
        "Verdict": bundle["verdict"],
    }


NAME = Option(
    "name",
    ("--name", "-n"),
    "Name of the extension. Default: the AzureML extension of the cluster; azureml for a new one.",
    completer=completers.extension_names,
)
EXTENSION = (*options.CLUSTER, NAME)
SKIP_CHECKS = Option(
    "skip_checks",
    help="Space-separated ids or categories of checks that are not run before the request. To list them: "
    "az amlk8s explain --list.",
    settings={"nargs": "+"},
)
TIMEOUT = Option(
    "timeout",
    help="Maximum wait in seconds. The operation continues in Azure when it has passed.",
    settings={"type": options.whole_number},
)
# Options of az k8s-extension for which the extension supports one value.
SINGLE_VALUE_OPTIONS = (
    Option("extension_type", help="Type of the extension. Only Microsoft.AzureML.Kubernetes is supported."),
    Option("scope", help="Scope of the installation. Only cluster is supported."),
    Option("release_namespace", help="Namespace of the extension. Only azureml is supported."),
)
INSTALLATION = (
    *EXTENSION,
    *SETTINGS,
    *VERSION,
    *SINGLE_VALUE_OPTIONS,
    SKIP_CHECKS,
    TIMEOUT,
    options.DRY_RUN,
    options.YES,
)
OPTIONAL_CLUSTER = tuple(
    option.but(group="Cluster", settings={**option.settings, "required": False})
    for option in (
        options.RESOURCE_GROUP.but(help="Resource group of the cluster to validate against."),
        options.CLUSTER_NAME.but(help="Name of the cluster to validate against. Needs a login."),
        options.CLUSTER_TYPE,
    )
)
TRAINING = "--config enableTraining=True"

GROUP = Group(
    "amlk8s extension",
    SUMMARIES["extension"],
    (
        Command(
            "create",
            "extension_create#create",
            "Install the Azure Machine Learning extension on a cluster.",
            description="All settings are validated before anything is sent. At least one of enableTraining and "
            "enableInference must be True. Inference needs inferenceRouterServiceType and either a certificate or "
            "allowInsecureConnections=True. On an Arc-connected cluster a Relay namespace is created, which is billed. "
            "The command can be repeated: it continues an interrupted run, and changes nothing when the extension "
            "already has the given settings.",
            parameters=documented_setting_parameters,
            options=(
                *INSTALLATION,
                Option("or_update", help="Update the extension if it already exists.", is_flag=True),
            ),
            examples=(
                (
                    "Install on AKS for a quick proof of concept of training and inference.",
                    "az amlk8s extension create --name azureml-extension "
                    "--extension-type Microsoft.AzureML.Kubernetes --config enableTraining=True enableInference=True "
                    "inferenceRouterServiceType=LoadBalancer allowInsecureConnections=True inferenceRouterHA=False "
                    "--cluster-type managedClusters --cluster-name my-aks --resource-group my-group --scope cluster",
                ),
                (
                    "Install on an Arc-connected cluster for training.",
                    f"az amlk8s extension create -n azureml-extension {ARC} {TRAINING}",
                ),
                (
                    "Show what would be sent and created, and change nothing.",
                    f"az amlk8s extension create -n azureml-extension {ARC} {TRAINING} --dry-run",
                ),
                (
                    "Install for inference with HTTPS behind node ports.",
                    f"az amlk8s extension create -n azureml-extension {ARC} {HTTPS}",
                ),
            ),
            table=extension_or_plan,
            text=texts.plan_text,
            supports_no_wait=True,
        ),
        Command(
            "update",
            "extension_update#update",
            "Change settings or the version of the extension.",
            description="Only differences from the deployed extension are sent. The service replaces protected "
            "settings as a whole: when one of them changes, those that can be read from Azure are sent again, and the "
            "others must be given. Settings can be changed but not removed.",
            parameters=setting_parameters,
            options=INSTALLATION,
            examples=(
                (
                    "Enable inference.",
                    f"az amlk8s extension update -n azureml-extension {AKS} --config enableInference=True "
                    "inferenceRouterServiceType=loadBalancer allowInsecureConnections=True",
                ),
                (
                    "Show what would change, and change nothing.",
                    f"az amlk8s extension update -n azureml-extension {AKS} --config enableTraining=False "
                    "--dry-run -o table",
                ),
                (
                    "Replace the certificate.",
                    f"az amlk8s extension update -n azureml-extension {ARC} "
                    "--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem",
                ),
                (
                    "Keep a version.",
                    f"az amlk8s extension update -n azureml-extension {AKS} --version 1.1.70",
                ),
            ),
            table=extension_or_plan,
            text=texts.plan_text,
            supports_no_wait=True,
        ),
        Command(
            "delete",
            "extension_remove#delete",
            "Delete the Azure Machine Learning extension from a cluster.",
            description="Computes that are attached to the cluster are listed first. Azure resources that were created "
            "for the extension, such as a Relay namespace, are kept and listed, unless --delete-dependencies is given.",
            options=(
                *EXTENSION,
                TIMEOUT,
                Option(
                    "delete_dependencies",
                    help="Also delete the Azure resources that were created for the extension: Relay, Log Analytics, "
                    "Service Bus.",
                    is_flag=True,
                ),
                Option(
                    "everything",
                    help="Also detach the computes, and delete role assignments of the attachment, definitions, "
                    "webhooks and roles in the cluster, the namespace azureml, and the Azure resources; list what "
                    "remains.",
                    is_flag=True,
                ),
                Option(
                    "stop_workloads",
                    help="With --everything: continue although endpoints or jobs use the computes.",
                    is_flag=True,
                ),
                options.KUBECONFIG,
                options.CONTEXT,
                Option(
                    "force",
                    help="Delete the extension from Azure without uninstalling it from the cluster.",
                    is_flag=True,
                ),
                options.YES,
            ),
            examples=(
                (
                    "Delete the extension and the Azure resources that were created for it.",
                    f"az amlk8s extension delete -n azureml-extension {ARC} --delete-dependencies",
                ),
                (
                    "Remove everything that belongs to the extension.",
                    f"az amlk8s extension delete {ARC} --everything",
                ),
                (
                    "Delete the extension without a prompt.",
                    f"az amlk8s extension delete -n azureml-extension {AKS} --yes",
                ),
            ),
            text=texts.removal_text,
            supports_no_wait=True,
        ),
        *upgrade.commands(NAME, SKIP_CHECKS, TIMEOUT),
        Command(
            name="show",
            operation="extension#show",
            summary="Show the Azure Machine Learning extension of a cluster.",
            options=EXTENSION,
            examples=(
                ("Show the extension of an AKS cluster.", f"az amlk8s extension show -n azureml-extension {AKS}"),
            ),
            table=extension_row,
            is_show=True,
        ),
        Command(
            "list",
            "extension#list_",
            "List the Azure Machine Learning extensions of a cluster.",
            options=options.CLUSTER,
            examples=(
                (
                    "List the extensions of an Arc-connected cluster as a table.",
                    f"az amlk8s extension list {ARC} -o table",
                ),
            ),
            table=extension_rows,
        ),
        Command(
            "wait",
            "extension#wait",
            "Wait until the extension meets a condition.",
            description="The exit code is 1 when the time has passed or the operation has failed.",
            options=(*EXTENSION, *options.WAIT_CONDITION),
            examples=(
                (
                    "Wait until the installation has succeeded.",
                    f"az amlk8s extension wait -n azureml-extension {AKS} --created",
                ),
            ),
        ),
        Command(
            "validate",
            "settings#validate",
            "Validate settings, offline or against a cluster.",
            description="Each finding has an id, a severity, a message and a fix, errors first; the exit code is 1 "
            "when there is an error. Nothing is changed. Former names of settings are accepted; to list the settings: "
            "az amlk8s extension settings list.",
            parameters=setting_parameters,
            options=(
                *OPTIONAL_CLUSTER,
                NAME.but(
                    help="Name of the extension, to find out whether the cluster has another one.",
                    settings={"required": False},
                ),
                *SETTINGS,
                *VERSION,
            ),
            examples=(
                (
                    "Validate settings as the first step of a pipeline.",
                    "az amlk8s extension validate --config-file settings.yaml --strict -o table",
                ),
                (
                    "Validate settings against a cluster.",
                    f"az amlk8s extension validate {AKS} --config enableInference=True "
                    "inferenceRouterServiceType=loadBalancer allowInsecureConnections=True",
                ),
                ("Validate a certificate and its key.", f"az amlk8s extension validate {HTTPS}"),
            ),
            table=finding_rows,
            text=texts.findings_text,
        ),
        Command(
            "components",
            "settings#components",
            "List what an installation adds to the cluster and to Azure.",
            description="Works offline. The components depend on the version of the extension and on the type of the "
            "cluster.",
            options=(
                options.SCENARIO,
                Option("version", help="Version of the extension. Default: the newest one that is known."),
                options.CLUSTER_TYPE.but(
                    help="Only for this type of cluster: managedClusters for AKS, connectedClusters for Arc.",
                ),
            ),
            examples=(
                (
                    "List the components of training as a table.",
                    "az amlk8s extension components --scenario training -o table",
                ),
                (
                    "List the components of an older version on AKS.",
                    "az amlk8s extension components --version 1.1.9 --cluster-type managedClusters -o table",
                ),
            ),
            table=component_rows,
        ),
        Command(
            "diagnose",
            "diagnose#diagnose",
            "Write everything that a support case needs to one archive, with secrets removed.",
            description="The archive has the report of all checks, the extension as Azure and the cluster describe it, "
            "the health report, pods, events and logs, and an HTML page that needs no network. It is written to a new "
            "folder that only you can read.",
            options=(
                *options.CLUSTER,
                Option(
                    "output_folder",
                    help="Folder in which the new folder of the diagnosis is created.",
                    completes_folders=True,
                ),
                options.KUBECONFIG,
                options.CONTEXT,
            ),
            examples=(
                (
                    "Write the diagnosis of a cluster.",
                    f"az amlk8s extension diagnose {AKS} --output-folder .",
                ),
            ),
            table=bundle_row,
            text=texts.bundle_text,
        ),
    ),
)

GROUPS = (GROUP, settings.GROUP, certificate.GROUP)
