"""The help of az amlk8s instance-type and az amlk8s workload."""

from knack.help_files import helps

helps["amlk8s instance-type"] = """
type: group
short-summary: Manage the instance types that jobs and deployments pick in a cluster.
"""

helps["amlk8s instance-type list"] = """
type: command
short-summary: List the instance types of a cluster and of its compute, the default among them.
long-summary: >
    With --compute-name both sides are compared, and each type is marked: both, cluster only, compute only, differs,
    built-in.
examples:
  - name: List the instance types of the current context.
    text: az amlk8s instance-type list -o table
  - name: List the instance types of an AKS cluster.
    text: az amlk8s instance-type list -c my-aks -g my-group -o table
  - name: Compare those of a compute with those of its cluster.
    text: az amlk8s instance-type list -g my-group -w my-workspace --compute-name k8s-compute -o table
"""

helps["amlk8s instance-type show"] = """
type: command
short-summary: Show an instance type, where it is, and where its values come from.
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
  - name: See what types the node pools of a cluster would make.
    text: az amlk8s instance-type create --from-nodes -c my-aks -g my-group --dry-run -o table
"""

helps["amlk8s instance-type update"] = """
type: command
short-summary: Change what is given of an instance type.
examples:
  - name: Give a type more memory.
    text: az amlk8s instance-type update -n cpu-small --memory-limit 4Gi
"""

helps["amlk8s instance-type apply"] = """
type: command
short-summary: Bring the cluster to the instance types of files, by server-side apply.
long-summary: >
    Each type is created, changed or unchanged; one that another manager such as kubectl holds is a conflict, which
    --force-conflicts settles. --prune deletes types that this command, or create, applied and that are in no file any more.
examples:
  - name: See what would change.
    text: az amlk8s instance-type apply -f instance-types.yaml --dry-run -o table
  - name: Apply a folder, and delete what is no more in it.
    text: az amlk8s instance-type apply -f instance-types/ --prune --yes
"""

helps["amlk8s instance-type delete"] = """
type: command
short-summary: Delete an instance type, after saying who depends on it.
examples:
  - name: Delete an instance type without being asked.
    text: az amlk8s instance-type delete -n gpu-large --yes
"""

helps["amlk8s instance-type validate"] = """
type: command
short-summary: Judge files of instance types, without a cluster and without Azure.
examples:
  - name: Judge a folder; the exit code is 1 when there is an error.
    text: az amlk8s instance-type validate -f instance-types/ -o table
"""

helps["amlk8s instance-type convert"] = """
type: command
short-summary: Bring instance types of any form, such as an attach configuration of 2021, to today's.
examples:
  - name: Convert a file and apply what comes of it.
    text: az amlk8s instance-type convert -f attach-config.json -o yaml
"""

helps["amlk8s instance-type fit"] = """
type: command
short-summary: Show for each instance type where its pods can run, how many at once, and if nowhere, why.
long-summary: >
    Nodes count with what they offer beside pods of the system. Of an AKS cluster that is named by --cluster-name or
    --compute-name, pools that an autoscaler may let grow count too, and so do the extension's nodeSelector and tolerations.
examples:
  - name: Measure the types of a cluster.
    text: az amlk8s instance-type fit -c my-aks -g my-group -o table
  - name: Measure a file before it is applied, and draw a picture.
    text: az amlk8s instance-type fit -f instance-types.yaml -c my-aks -g my-group --plot fit.svg
"""

helps["amlk8s workload"] = """
type: group
short-summary: Check job and deployment files before they are sent.
"""

helps["amlk8s workload check"] = """
type: command
short-summary: Say what will happen to jobs and deployments before they are sent.
long-summary: >
    Does the instance type exist on the compute, do the pods fit, is it asked for rightly? Nothing that a file refers to needs to be there. Without a workspace, types or a cluster the files alone are judged.
examples:
  - name: Check a job against the computes of a workspace.
    text: az amlk8s workload check -f job.yml -g my-group -w my-workspace -o table
  - name: Check a folder against instance types in files.
    text: az amlk8s workload check -f jobs/ --instance-types instance-types.yaml
"""
