"""Every rule over job and deployment files, by id (field guide compute-and-instance-types 4)."""

from __future__ import annotations

from azext_amlk8s.rules import Severity
from azext_amlk8s.rules.legacy import LegacyRule as Rule

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
JOB = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-command"
PIPELINE = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline"
DEPLOYMENT = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-deployment-kubernetes-online"
ENDPOINT = "https://learn.microsoft.com/azure/machine-learning/reference-yaml-endpoint-online"
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

W101 = Rule("W101", ERROR, "A job or deployment file is YAML or JSON.", GUIDE)
W102 = Rule("W102", ERROR, "A document is a job, a pipeline, a deployment or an endpoint, and has its parts.", GUIDE)
W103 = Rule("W103", INFO, "What does not run on Kubernetes, or picks no instance type, is not checked.", GUIDE)
W104 = Rule("W104", ERROR, "Placeholders of an example are filled in.", GUIDE)
W105 = Rule("W105", ERROR, "compute is a name; the block of 2021 is no longer read.", JOB)
W106 = Rule("W106", ERROR, "instance_type stands where this kind of file is read, and is spelt so.", GUIDE)
W107 = Rule("W107", WARNING, "The size of a job is that of its instance type.", JOB)
W108 = Rule("W108", ERROR, "A compute is named.", GUIDE)
W109 = Rule("W109", ERROR, "An input that compute or instance_type refers to has a value.", PIPELINE)
W110 = Rule("W110", ERROR, "An endpoint has neither resources nor an instance type; its deployments have.", ENDPOINT)
W111 = Rule("W111", ERROR, "A deployment on Kubernetes says type: kubernetes.", DEPLOYMENT)
W112 = Rule("W112", WARNING, "$schema is that of deployments on Kubernetes.", DEPLOYMENT)
W113 = Rule("W113", ERROR, "resources holds requests and limits.", DEPLOYMENT)
W114 = Rule("W114", ERROR, "In the resources of a deployment every amount is a string, the GPU too.", DEPLOYMENT)
W115 = Rule("W115", ERROR, "An amount is a Kubernetes quantity above zero, under its right name.", DEPLOYMENT)
W116 = Rule("W116", ERROR, "Where resources stands, requests of cpu and memory are given.", DEPLOYMENT)
W117 = Rule("W117", ERROR, "A request is not above its limit.", DEPLOYMENT)
W118 = Rule("W118", ERROR, "A GPU stands in limits alone; a request that differs is refused.", DEPLOYMENT)
W119 = Rule("W119", ERROR, "The resources of a deployment stay within the limits of its instance type.", DEPLOYMENT)
W120 = Rule("W120", ERROR, "instance_type is a name that an instance type can have.", GUIDE)
W121 = Rule(
    "W121", INFO, "Without an instance type the default applies; its size is known where it is overridden.", GUIDE
)
W122 = Rule("W122", ERROR, "The instance type exists on the compute.", GUIDE)
W123 = Rule("W123", WARNING, "An image for GPUs runs on an instance type that has one.", GUIDE)
W124 = Rule("W124", WARNING, "An MLflow model is deployed on an instance type that is large enough.", GUIDE)
W125 = Rule("W125", ERROR, "The cluster holds all pods that are asked for.", GUIDE)
W126 = Rule("W126", WARNING, "There is room for all pods beside what runs now.", GUIDE)
W127 = Rule("W127", INFO, "The limits of a deployment are lower than those of its instance type.", DEPLOYMENT)
W128 = Rule("W128", WARNING, "A GPU stands in limits alone; a request that repeats the limit can go.", DEPLOYMENT)
W129 = Rule("W129", ERROR, "A key stands once in a mapping; of several the last would count.", GUIDE)
W130 = Rule("W130", ERROR, "The compute is one of the workspace.", GUIDE)
W131 = Rule("W131", INFO, "The compute is of the kind Kubernetes.", GUIDE)
W132 = Rule("W132", INFO, "The compute of a deployment is that of its endpoint, which is given or is there.", ENDPOINT)
W133 = Rule("W133", WARNING, "The cluster of the compute can be asked whether the pods fit.", GUIDE)
