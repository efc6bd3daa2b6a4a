"""az amlk8s render"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.cli.declaration import Command, Option, Row
from azext_amlk8s.cli.setup import FILE

TARGETS = ("arm", "bicep", "terraform", "manifests", "github-actions", "azure-pipelines", "policy")


def render_rows(result: Mapping[str, Any]) -> list[Row]:
    """A row for each file."""
    return [{"File": each["path"], "Action": each["action"]} for each in result["files"]]


COMMANDS = (
    Command(
        "render",
        "render#render",
        "Write a setup file as infrastructure as code.",
        description="Checks the settings as plan does, reads Azure, and writes nothing but the files. Secrets become "
        "secure parameters or references to Azure Key Vault.",
        options=(
            FILE,
            Option(
                "to",
                help="What to write. manifests: namespaces and instance types for GitOps. policy: installs "
                "the extension on clusters that join later.",
                choices=TARGETS,
                settings={"required": True},
            ),
            Option(
                "out",
                help="Folder for the files. It is created where it does not exist.",
                completes_folders=True,
                settings={"required": True},
            ),
            Option(
                "force",
                help="Also overwrite files that render did not write, or that were changed since.",
                is_flag=True,
            ),
        ),
        examples=(
            ("Write Bicep files for a setup.", "az amlk8s render -f azureml.yaml --to bicep --out infra"),
            (
                "Write a workflow that plans on pull requests and applies on main.",
                "az amlk8s render -f azureml.yaml --to github-actions --out .",
            ),
            (
                "Write a policy for clusters that join later.",
                "az amlk8s render -f azureml.yaml --to policy --out policy",
            ),
        ),
        table=render_rows,
    ),
)
