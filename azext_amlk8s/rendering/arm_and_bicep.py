"""Setups as ARM templates and as Bicep files, made of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from azext_amlk8s.rendering.arm_json import as_json, parameters_object, template_object
from azext_amlk8s.rendering.bicep import bicep_files, parameter_file
from azext_amlk8s.rendering.cluster_module import ATTACHED
from azext_amlk8s.rendering.fleet_template import Fleet, fleet_template
from azext_amlk8s.rendering.inputs import ClusterInput
from azext_amlk8s.shell import join
from azext_amlk8s.values import region_name


@dataclass(frozen=True)
class Source:
    """Where a rendering comes from: the setup files, relative to the folder of what is rendered.

    subscription is that of az.
    """

    files: tuple[str, ...]
    subscription: str

    @property
    def note(self) -> str:
        """The sentence at the top of every file."""
        return f"Rendered by az amlk8s from {', '.join(self.files)}. Change the setup file and render it again."


def render_arm(clusters: Sequence[ClusterInput], source: Source) -> dict[str, str]:
    """A template for all clusters and a file with its parameters."""
    fleet = fleet_template(clusters, deployment_subscription(clusters, source))
    usage = " ".join([source.note, *_usage(fleet, clusters, "main.json", "@main.parameters.json")])
    template = template_object(fleet.template)
    template["metadata"] = {"description": f"{fleet.template.description} {usage}"}
    return {"main.json": as_json(template), "main.parameters.json": as_json(parameters_object(fleet.values))}


def render_bicep(clusters: Sequence[ClusterInput], source: Source) -> dict[str, str]:
    """A Bicep file for all clusters, its modules, and a file with its parameters."""
    fleet = fleet_template(clusters, deployment_subscription(clusters, source))
    usage = list(_usage(fleet, clusters, "main.bicep", "main.bicepparam"))
    files = bicep_files(fleet.template, "main.bicep", [source.note, *usage])
    files["main.bicepparam"] = parameter_file(fleet.values, fleet.secrets, "main.bicep", [source.note])
    return files


def deployment_subscription(clusters: Sequence[ClusterInput], source: Source) -> str:
    """The subscription that a template for these clusters is deployed to: that of the first."""
    return clusters[0].subscription if clusters else source.subscription


def _usage(fleet: Fleet, clusters: Sequence[ClusterInput], template: str, parameters: str) -> Iterator[str]:
    """How the template is deployed, as lines."""
    location = region_name(clusters[0].facts.location)
    command = ["az", "deployment", "sub", "create", "--location", location, "--template-file", template]
    yield f"To deploy it: {join([*command, '--parameters', parameters])}"
    workspace = next((cluster.compute.workspace for cluster in clusters if cluster.compute), None)
    if workspace and any(parameter.name == ATTACHED for parameter in fleet.template.parameters):
        names = f"az amlk8s compute list {workspace.cli_args} --query '[].name' -o json"
        yield f'When computes are attached already, add: --parameters {ATTACHED}="$({names})"'
