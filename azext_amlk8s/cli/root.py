"""az amlk8s check, az amlk8s explain, az amlk8s status, and the commands without a group of lint and setup"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import completers, lint, options, render, setup, status_views, texts
from azext_amlk8s.cli.declaration import Command, Group, Option, Row
from azext_amlk8s.cli.tables import fit_width, shorten

SCOPES = (
    "arm", "helm", "health", "compute", "cluster", "workload", "job", "pod", "scheduler", "admission", "network",
    "identity", "rule",
)  # fmt: skip
AKS = "-g my-group -c my-aks -t managedClusters"


def explanation_rows(explanations: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each explanation. The fixes are in the other output formats."""
    rows = [
        {
            "Code": explanation.get("code") or "unknown",
            "Scope": explanation.get("scope"),
            "Meaning": explanation.get("meaning") or _message(explanation),
        }
        for explanation in explanations
    ]
    return fit_width(rows, "Meaning")


def _message(explanation: Mapping[str, Any]) -> str:
    return str((explanation.get("parts") or {}).get("message") or "")


def check_rows(report: Mapping[str, Any]) -> list[Row]:
    """A row for each finding, and a row for each check without findings."""
    return [
        {
            "Category": category["id"],
            "Id": (finding or check)["id"],
            "Status": finding["severity"] if finding else check["status"],
            "Subject": shorten(finding["subject"], 24) if finding else "",
            "Message": shorten(finding["message"] if finding else check["note"] or check["title"], 46),
        }
        for category in report["categories"]
        for check in category["checks"]
        for finding in check["findings"] or [None]
    ]


COMPUTE = tuple(
    option.but(group="Compute")
    for option in (
        options.WORKSPACE.but(help="Azure Machine Learning workspace that the cluster is, or will be, attached to."),
        options.WORKSPACE_GROUP,
        Option(
            "compute_name",
            help="Name of the compute. Default: every compute of the workspace on the cluster.",
            completer=completers.compute_names,
        ),
    )
)
PROBE = tuple(
    option.but(group="Probe")
    for option in (
        Option(
            "probe",
            help="Start a short-lived pod on each node pool, which tests DNS, the required hosts, proxy and TLS "
            "inspection from there. Its namespace is deleted afterwards.",
            is_flag=True,
        ),
        Option(
            "probe_image",
            help="Image of the probe, with Python 3 and certificates of public CAs. Default: azure-cli from "
            "Microsoft's registry.",
        ),
        options.YES,
    )
)
LEFTOVERS = Option(
    "leftovers",
    help="Only look for what earlier installations have left in the cluster and in Azure, and print the commands that "
    "delete it.",
    is_flag=True,
    group="Selection",
)
SELECTION = tuple(
    Option(
        name,
        help=help_text,
        group="Selection",
        completer=completers.check_ids,
        settings={"nargs": "+"},
    )
    for name, help_text in (
        ("only", "Space-separated IDs or categories of the checks to run."),
        ("skip", "Space-separated IDs or categories of the checks to skip."),
    )
)

GROUP = Group(
    "amlk8s",
    "Manage AKS and Arc-connected Kubernetes clusters in Azure Machine Learning.",
    (
        Command(
            "explain",
            "explain#explain",
            "Explain an error code or message of the extension, a compute, a job or a pod.",
            description="Works offline, on messages from any source: a log, a ticket, Terraform, the portal. The cause "
            "comes before the errors that wrap it. For an unknown text, the parts that could be read are shown.",
            options=(
                Option(
                    "text",
                    help="A code, the text of a message, or - to read it from standard input.",
                    is_positional=True,
                    completer=completers.codes,
                    settings={"nargs": "*", "metavar": "CODE|TEXT|-"},
                ),
                Option("everything", ("--list",), "List every known code.", is_flag=True),
                Option("scope", help="Source of a code that has several meanings.", choices=SCOPES),
            ),
            examples=(
                ("Explain a code of the health check.", "az amlk8s explain E40001"),
                ("Choose between two meanings of a code.", "az amlk8s explain E45004 --scope job"),
                ("Explain a message.", 'az amlk8s explain "failed pre-install: pod healthcheck failed"'),
                ("Explain the output of a command.", "az amlk8s explain -"),
                ("List every known code as a table.", "az amlk8s explain --list -o table"),
            ),
            table=explanation_rows,
            text=texts.explanations_text,
        ),
        Command(
            "check",
            "check#check",
            "Check a cluster, its extension and its computes, and show how to fix the problems.",
            description="Checks the subscription, the cluster in Azure, the cluster itself, the extension, its "
            "components, the compute and the instance types. Results are printed to stderr as they arrive; the report "
            "is the output, and the exit code is 1 when there is an error. Nothing is changed, except by --probe. With "
            "--pre, it checks the prerequisites of an installation.",
            options=(
                *options.CLUSTER,
                Option("before", ("--pre",), "Check the prerequisites of an installation.", is_flag=True),
                options.SCENARIO.but(
                    help="Workload to check for. Default: what is installed; before an installation, both."
                ),
                Option(
                    "wait",
                    help="Repeat until there is no error, for at most this many minutes.",
                    settings={"type": float, "metavar": "MINUTES"},
                ),
                options.KUBECONFIG,
                options.CONTEXT,
                *PROBE,
                *COMPUTE,
                *SELECTION,
                LEFTOVERS,
            ),
            examples=(
                (
                    "Check the prerequisites of an installation for training and inference.",
                    f"az amlk8s check --pre {AKS} --scenario both",
                ),
                (
                    "Check an installation and its compute.",
                    f"az amlk8s check {AKS} -w my-workspace --compute-name k8s-compute",
                ),
                (
                    "Wait at most ten minutes until a new installation is healthy.",
                    f"az amlk8s check {AKS} --wait 10",
                ),
                (
                    "Test the network of each node pool from pods, without asking first.",
                    f"az amlk8s check {AKS} --only probe --probe --yes",
                ),
                ("Check only the components, as a table.", f"az amlk8s check {AKS} --only components -o table"),
                (
                    "Skip everything that needs access to the cluster itself.",
                    "az amlk8s check -g my-group -c my-arc -t connectedClusters --only subscription azure",
                ),
            ),
            table=check_rows,
            text=texts.check_text,
        ),
        Command(
            "status",
            "status#status",
            "Show the state of a cluster, or of all clusters of a setup file.",
            description="For a cluster it "
            "shows the extension with its version, state and release train; how many components "
            "are ready and why the first of the others is not; the computes of a workspace; the instance types "
            "with their free capacity; the expiry of the certificate; the problems by cause; and the next step. "
            "What cannot be read is left out with its reason. Nothing is changed. The exit code is 0 whatever the "
            "state is; use `az amlk8s check` where a script must fail. With --file it shows a line for each "
            "cluster: in sync, drifted, changing, missing, offline, failing or unknown. The exit code is 1 for "
            "the last three.",
            options=(
                *(option.but(settings={**option.settings, "required": False}) for option in options.CLUSTER),
                options.WORKSPACE.but(help="Workspace whose computes on this cluster are shown."),
                options.WORKSPACE_GROUP,
                options.KUBECONFIG,
                options.CONTEXT,
                *setup.STATUS_OPTIONS,
            ),
            examples=(
                (
                    "Show the clusters of a setup file that are not in sync.",
                    "az amlk8s status -f azureml.yaml --failed",
                ),
                ("Show the state of a cluster.", "az amlk8s status -g my-group -c my-aks"),
                ("Include the computes of a workspace.", f"az amlk8s status {AKS} -w my-workspace"),
                ("Show the same as a table.", "az amlk8s status -g my-group -c my-aks -o table"),
                (
                    "Print only the state of the extension.",
                    "az amlk8s status -g my-group -c my-aks --query extension.state -o tsv",
                ),
            ),
            table=status_views.status_rows,
            text=status_views.status_text,
        ),
        lint.COMMAND,
        *setup.COMMANDS,
        *render.COMMANDS,
    ),
)

GROUPS = (GROUP,)
