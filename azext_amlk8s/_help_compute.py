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
  - name: Attach in a script, ending after half an hour, with what is missing made on the way.
    text: >
        az amlk8s compute attach -g my-group -w my-workspace -n k8s-compute -c my-aks -t managedClusters
        --namespace training --create-namespace --assign-roles --identity-type SystemAssigned --timeout 1800
  - name: Attach again what failed, under the same name and namespace.
    text: az amlk8s compute attach -g my-group -w my-workspace -n k8s-compute -c my-aks -t managedClusters --replace --yes
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
long-summary: Nothing that Azure says is left out. studioUrl is added; connection strings are emptied unless --show-secrets.
examples:
  - name: Show a compute.
    text: az amlk8s compute show -g my-group -w my-workspace -n k8s-compute
"""

helps["amlk8s compute list"] = """
type: command
short-summary: List the Kubernetes computes of a workspace.
long-summary: Computes of other kinds are listed with --all, those of unknown kind too.
examples:
  - name: List the computes as a table.
    text: az amlk8s compute list -g my-group -w my-workspace -o table
"""

helps["amlk8s compute detach"] = """
type: command
short-summary: Detach a cluster from a workspace; the cluster itself stays as it is.
long-summary: It is followed until the compute is gone. Online endpoints on it are named before. One that is not there is no error.
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
  - name: Wait at most ten minutes until it has an instance type.
    text: az amlk8s compute wait -g my-group -w my-workspace -n k8s-compute --custom "properties.properties.instanceTypes.gpu" --timeout 600
"""
