"""The help of az amlk8s compute."""

from knack.help_files import helps

helps["amlk8s compute"] = """
type: group
short-summary: Manage Kubernetes computes of a workspace.
"""

helps["amlk8s compute attach"] = """
type: command
short-summary: Attach a cluster to a workspace as compute.
long-summary: >
    What would fail is said before anything is sent: the cluster's state, the extension, the namespace, the roles of a
    workspace with a user-assigned identity. A compute of this name that is there is never overwritten; see --replace.
examples:
  - name: Attach an AKS cluster with a user-assigned identity.
    text: >
        az amlk8s compute attach --resource-group my-group --workspace-name my-workspace --name k8s-compute
        --cluster-name my-aks --cluster-type managedClusters --type Kubernetes --identity-type UserAssigned
        --user-assigned-identities "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers/Microsoft.ManagedIdentity/userAssignedIdentities/my-identity"
  - name: Attach an Arc-connected cluster by its resource ID, for workloads in a namespace of its own.
    text: >
        az amlk8s compute attach -g my-group -w my-workspace -n amlarc-compute --namespace training
        --resource-id "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my-group/providers/Microsoft.Kubernetes/connectedClusters/my-cluster"
"""

helps["amlk8s compute update"] = """
type: command
short-summary: Change the identity or the tags of a compute, where the service takes that.
long-summary: >
    The cluster and the namespace cannot be changed while a compute is attached; for them, attach it again with
    az amlk8s compute attach --replace.
examples:
  - name: Give a compute a system-assigned identity.
    text: az amlk8s compute update -g my-group -w my-workspace -n k8s-compute --identity-type SystemAssigned --yes
"""

helps["amlk8s compute show"] = """
type: command
short-summary: Show a Kubernetes compute.
examples:
  - name: Show a compute.
    text: az amlk8s compute show -g my-group -w my-workspace -n k8s-compute
"""

helps["amlk8s compute list"] = """
type: command
short-summary: List the Kubernetes computes of a workspace.
examples:
  - name: List the computes as a table.
    text: az amlk8s compute list -g my-group -w my-workspace -o table
"""

helps["amlk8s compute detach"] = """
type: command
short-summary: Detach a cluster from a workspace; the cluster itself stays as it is.
examples:
  - name: Detach without being asked.
    text: az amlk8s compute detach -g my-group -w my-workspace -n k8s-compute --yes
"""

helps["amlk8s compute wait"] = """
type: command
short-summary: Wait until the compute meets a condition.
long-summary: The exit code is 1 when the time is up, or when it has failed.
examples:
  - name: Wait until the cluster is attached.
    text: az amlk8s compute wait -g my-group -w my-workspace -n k8s-compute --created
"""
