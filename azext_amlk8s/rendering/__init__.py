"""Setup files as infrastructure as code: a mapping of paths to texts for each target. No I/O."""

from azext_amlk8s.rendering.arm_and_bicep import Source, render_arm, render_bicep
from azext_amlk8s.rendering.arm_json import parameters_object, template_object
from azext_amlk8s.rendering.fleet_template import Fleet, fleet_template
from azext_amlk8s.rendering.inputs import ENV, FILE, KEY_VAULT, ClusterInput, SecretReference
from azext_amlk8s.rendering.terraform import render_terraform

__all__ = [
    "ENV",
    "FILE",
    "KEY_VAULT",
    "ClusterInput",
    "Fleet",
    "SecretReference",
    "Source",
    "fleet_template",
    "parameters_object",
    "render_arm",
    "render_bicep",
    "render_terraform",
    "template_object",
]
