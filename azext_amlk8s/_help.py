"""The help of every group and command; knack reads it from the side effect of importing."""

from knack.help_files import helps

# pylint: disable-next=unused-import
from azext_amlk8s import _help_compute, _help_diagnosis, _help_extension, _help_instance_type  # noqa: F401

helps["amlk8s"] = """
type: group
short-summary: Manage Kubernetes clusters, AKS or Arc-connected, in Azure Machine Learning.
"""
