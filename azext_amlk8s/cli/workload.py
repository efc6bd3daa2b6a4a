"""az amlk8s workload"""

from __future__ import annotations

from azext_amlk8s.cli import instance_type, options, texts
from azext_amlk8s.cli.declaration import Command, Group, Option
from azext_amlk8s.cli.groups import SUMMARIES
from azext_amlk8s.cli.tables import finding_rows

# The default compute is an option of its own here, not one of the options that name a cluster.
CLUSTER = tuple(
    option.but(group=None, help="Compute for files that name none.") if option.name == "compute_name" else option
    for option in instance_type.CLUSTER
)

GROUP = Group(
    "amlk8s workload",
    SUMMARIES["workload"],
    (
        Command(
            "check",
            "workload#check",
            "Predict what will happen to jobs and deployments before they are submitted.",
            description="Checks that the instance type exists on the compute, that the pods fit, and that the type is "
            "specified correctly. Files that a job refers to do not have to exist. Without a workspace, instance types "
            "or a cluster only the files are checked.",
            options=(
                instance_type.FILE.but(
                    help="Files or folders with jobs, pipelines, endpoints or deployments, or - for standard input."
                ),
                Option(
                    "instance_types",
                    help="Files or folders with the existing instance types, instead of those of a compute.",
                    completes_files=True,
                    settings={"nargs": "+"},
                ),
                options.STRICT,
                *CLUSTER,
            ),
            examples=(
                (
                    "Check a job against the computes of a workspace.",
                    "az amlk8s workload check -f job.yml -g my-group -w my-workspace -o table",
                ),
                (
                    "Check a folder against instance types in files.",
                    "az amlk8s workload check -f jobs/ --instance-types instance-types.yaml",
                ),
            ),
            table=finding_rows,
            text=texts.findings_text,
        ),
    ),
)

GROUPS = (GROUP,)
