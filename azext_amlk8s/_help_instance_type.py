"""The help of az amlk8s instance-type and az amlk8s workload."""

from knack.help_files import helps

helps["amlk8s instance-type"] = """
type: group
short-summary: Manage the instance types that jobs and deployments pick in a cluster.
"""

helps["amlk8s instance-type list"] = """
type: command
short-summary: List the instance types of a cluster, the built-in default among them.
examples:
  - name: List the instance types of the current context.
    text: az amlk8s instance-type list -o table
  - name: List the instance types of an AKS cluster.
    text: az amlk8s instance-type list -c my-aks -g my-group -o table
"""

helps["amlk8s instance-type show"] = """
type: command
short-summary: Show an instance type.
examples:
  - name: Show an instance type.
    text: az amlk8s instance-type show -n gpu-large
"""

helps["amlk8s instance-type create"] = """
type: command
short-summary: Create instance types, or bring existing ones to what is asked for.
examples:
  - name: Create an instance type from flags.
    text: >
        az amlk8s instance-type create -n gpu-large --cpu-request 700m --cpu-limit 1
        --memory-request 1500Mi --memory-limit 2Gi --gpu 1 --node-selector agentpool=gpu
  - name: Create every instance type of a file.
    text: az amlk8s instance-type create -f my_instance_type_list.yaml
"""

helps["amlk8s instance-type delete"] = """
type: command
short-summary: Delete an instance type.
examples:
  - name: Delete an instance type without being asked.
    text: az amlk8s instance-type delete -n gpu-large --yes
"""
