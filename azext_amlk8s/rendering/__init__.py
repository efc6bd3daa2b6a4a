"""Setup files as infrastructure as code: a mapping of paths to texts for each target. No I/O."""

from azext_amlk8s.rendering.arm_and_bicep import Source, render_arm, render_bicep
from azext_amlk8s.rendering.arm_json import parameters_object, template_object
from azext_amlk8s.rendering.fleet_template import Fleet, fleet_template
from azext_amlk8s.rendering.inputs import ENV, FILE, KEY_VAULT, ClusterInput, SecretReference
from azext_amlk8s.rendering.manifests import ClusterManifests, render_manifests
from azext_amlk8s.rendering.policy import policy_differences, render_policy
from azext_amlk8s.rendering.terraform import render_terraform
from azext_amlk8s.rendering.workflows import render_azure_pipelines, render_github_actions

__all__ = [
    "ENV",
    "FILE",
    "KEY_VAULT",
    "ClusterInput",
    "ClusterManifests",
    "Fleet",
    "SecretReference",
    "Source",
    "fleet_template",
    "parameters_object",
    "policy_differences",
    "render_arm",
    "render_azure_pipelines",
    "render_bicep",
    "render_github_actions",
    "render_manifests",
    "render_policy",
    "render_terraform",
    "template_object",
]
