"""Every rule over instance types, by id (field guide compute-and-instance-types 3.3 to 3.5)."""

from __future__ import annotations

from azext_amlk8s.rules import Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
NAMES = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
LABELS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"
QUANTITIES = "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"
RESOURCES = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
APPLY = "https://kubernetes.io/docs/reference/using-api/server-side-apply/"
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

I101 = Rule("I101", ERROR, "A file of instance types is YAML or JSON.", GUIDE)
I102 = Rule("I102", ERROR, "A file of instance types holds a document.", GUIDE)
I103 = Rule("I103", ERROR, "The name of an instance type stands once in all the files that are given.", GUIDE)
I104 = Rule("I104", ERROR, "A document is an InstanceType or an InstanceTypeList of amlarc.azureml.com.", GUIDE)
I105 = Rule("I105", ERROR, "An InstanceTypeList has items.", GUIDE)
I106 = Rule("I106", ERROR, "Instance types are objects of their own, not part of an attach configuration.", GUIDE)
I107 = Rule("I107", ERROR, "A key stands once in a mapping; of several the last would count.", GUIDE)
I108 = Rule("I108", INFO, "Of a folder, documents of other kinds are left out.", GUIDE)
I109 = Rule("I109", WARNING, "Names of 2021 are converted to names that Kubernetes takes.", GUIDE)
I110 = Rule("I110", ERROR, "The name of an instance type is one that Kubernetes takes for an object.", NAMES)
I111 = Rule("I111", WARNING, "An instance type has no namespace; it belongs to the cluster.", GUIDE)
I112 = Rule("I112", ERROR, "Requests and limits name cpu and memory each.", GUIDE)
I113 = Rule("I113", ERROR, "An amount is a Kubernetes quantity above zero.", QUANTITIES)
I114 = Rule("I114", WARNING, "cpu and memory are strings.", GUIDE)
I115 = Rule("I115", WARNING, "Only cpu, memory and nvidia.com/gpu are documented; others are passed on.", GUIDE)
I116 = Rule("I116", ERROR, "nodeSelector holds labels whose keys and values are strings.", LABELS)
I117 = Rule("I117", ERROR, "A number of GPUs, or of another extended resource, is whole and not negative.", RESOURCES)
I118 = Rule("I118", ERROR, "A GPU stands in limits alone; a request that differs is refused.", GUIDE)
I119 = Rule("I119", WARNING, "A type with GPUs picks its nodes by a nodeSelector.", GUIDE)
I120 = Rule("I120", ERROR, "A request is not above its limit.", RESOURCES)
I121 = Rule("I121", ERROR, "Placeholders of an example are filled in.", GUIDE)
I122 = Rule("I122", WARNING, "Tolerations are a setting of the extension, not part of an instance type.", GUIDE)
I123 = Rule("I123", ERROR, "Only nodeSelector and resources are part of an instance type.", GUIDE)
I124 = Rule("I124", INFO, "A type named defaultinstancetype replaces the built-in default.", GUIDE)
I126 = Rule("I126", INFO, "MLflow models are deployed with 2 CPU and 4 GB at least.", GUIDE)
I127 = Rule("I127", ERROR, "metadata, spec and resources are mappings.", GUIDE)
I128 = Rule("I128", WARNING, "A GPU stands in limits alone; a request that repeats the limit is left out.", GUIDE)
I129 = Rule("I129", WARNING, "A type that picks GPU nodes asks for a GPU.", GUIDE)
I130 = Rule("I130", ERROR, "Labels have the form that Kubernetes takes.", LABELS)
I140 = Rule("I140", WARNING, "A type of the cluster appears on the compute.", GUIDE)
I141 = Rule("I141", WARNING, "A type of the compute exists in the cluster.", GUIDE)
I142 = Rule("I142", WARNING, "A type is the same in the cluster and on the compute.", GUIDE)
I143 = Rule("I143", ERROR, "A field that another manager applied is changed by that one, or by force.", APPLY)
I144 = Rule("I144", WARNING, "An instance type in use is not deleted.", GUIDE)
I145 = Rule("I145", WARNING, "A type has the fields that were applied, and no others.", APPLY)
