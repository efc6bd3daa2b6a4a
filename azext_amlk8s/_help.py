"""The help of every group and command."""

from knack.help_files import helps

helps["amlk8s"] = """
type: group
short-summary: Manage Kubernetes clusters, AKS or Arc-connected, in Azure Machine Learning.
"""

helps["amlk8s extension"] = """
type: group
short-summary: Manage the Azure Machine Learning extension of a cluster.
"""

helps["amlk8s extension create"] = """
type: command
short-summary: Install the Azure Machine Learning extension on a cluster.
long-summary: >
    The settings are judged, all at once, before anything is sent. At least one of enableTraining and enableInference
    must be True. Inference needs inferenceRouterServiceType, and either a certificate or allowInsecureConnections=True.
    On an Arc-connected cluster a Relay namespace is created, which is billed. The command can be repeated: it goes on
    where an interrupted run ended, and changes nothing where all is as asked for.
examples:
  - name: Install on AKS for a quick proof of concept of training and inference.
    text: >
        az amlk8s extension create --name azureml-extension --extension-type Microsoft.AzureML.Kubernetes
        --config enableTraining=True enableInference=True inferenceRouterServiceType=LoadBalancer
        allowInsecureConnections=True inferenceRouterHA=False
        --cluster-type managedClusters --cluster-name my-aks --resource-group my-group --scope cluster
  - name: Install on an Arc-connected cluster for training.
    text: >
        az amlk8s extension create -n azureml-extension -t connectedClusters -c my-cluster -g my-group
        --config enableTraining=True
  - name: Show what would be sent and created, and write nothing.
    text: >
        az amlk8s extension create -n azureml-extension -t connectedClusters -c my-cluster -g my-group
        --config enableTraining=True --dry-run
  - name: Install for inference with HTTPS behind node ports.
    text: >
        az amlk8s extension create -n azureml-extension -t connectedClusters -c my-cluster -g my-group
        --config enableInference=True inferenceRouterServiceType=nodePort sslCname=ml.contoso.com
        --config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem
"""

helps["amlk8s extension validate"] = """
type: command
short-summary: Judge settings, without a login, or with the facts of a cluster.
long-summary: >
    Every finding is an object with id, severity, message and fix, errors first; the exit code is 1 when there is an error. Nothing is
    ever written. Keys are known by every name that they had; docs/settings.md lists them, and az amlk8s extension settings list.
examples:
  - name: Judge settings as the first step of a pipeline.
    text: az amlk8s extension validate --config-file settings.yaml --strict -o table
  - name: Judge settings for a cluster.
    text: >
        az amlk8s extension validate -g my-group -c my-aks -t managedClusters
        --config enableInference=True inferenceRouterServiceType=loadBalancer allowInsecureConnections=True
  - name: Judge a certificate and its key.
    text: >
        az amlk8s extension validate --config enableInference=True inferenceRouterServiceType=nodePort sslCname=ml.contoso.com
        --config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem
"""

helps["amlk8s extension settings"] = """
type: group
short-summary: Look up the settings of the extension.
"""

helps["amlk8s extension settings list"] = """
type: command
short-summary: List the settings that are known.
examples:
  - name: List the settings of inference as a table.
    text: az amlk8s extension settings list --scenario inference -o table
"""

helps["amlk8s extension settings show"] = """
type: command
short-summary: Show one setting, by any name that it ever had.
examples:
  - name: Show what became of a former setting.
    text: az amlk8s extension settings show --key reuseExistingPromOp
"""

helps["amlk8s extension components"] = """
type: command
short-summary: List what an installation puts into the cluster and into Azure.
examples:
  - name: List the components of training as a table.
    text: az amlk8s extension components --scenario training -o table
"""

helps["amlk8s extension show"] = """
type: command
short-summary: Show the Azure Machine Learning extension of a cluster.
examples:
  - name: Show the extension of an AKS cluster.
    text: az amlk8s extension show -n azureml-extension -t managedClusters -c my-aks -g my-group
"""

helps["amlk8s extension list"] = """
type: command
short-summary: List the Azure Machine Learning extensions of a cluster.
examples:
  - name: List the extensions of an Arc-connected cluster as a table.
    text: az amlk8s extension list -t connectedClusters -c my-cluster -g my-group -o table
"""

helps["amlk8s extension update"] = """
type: command
short-summary: Change settings or the version of the extension.
long-summary: >
    Only what differs from what is deployed is sent. The service replaces protected settings as a whole: when one of
    them changes, those that can be read from Azure again are sent along, and the others are asked for before anything
    is sent. Settings can be changed but not removed.
examples:
  - name: Switch inference on.
    text: >
        az amlk8s extension update -n azureml-extension -t managedClusters -c my-aks -g my-group
        --config enableInference=True inferenceRouterServiceType=loadBalancer allowInsecureConnections=True
  - name: Show what would change, and write nothing.
    text: >
        az amlk8s extension update -n azureml-extension -t managedClusters -c my-aks -g my-group
        --config enableTraining=False --dry-run -o table
  - name: Bring in a new certificate.
    text: >
        az amlk8s extension update -n azureml-extension -t connectedClusters -c my-cluster -g my-group
        --config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem
  - name: Stay on a version.
    text: az amlk8s extension update -n azureml-extension -t managedClusters -c my-aks -g my-group --version 1.1.70
"""

helps["amlk8s extension delete"] = """
type: command
short-summary: Remove the Azure Machine Learning extension from a cluster.
long-summary: >
    Computes that are attached to the cluster are named before anything happens. What was created in Azure for the
    extension, such as a Relay namespace, stays and is named, unless --delete-dependencies is given.
examples:
  - name: Remove the extension and what was created in Azure for it.
    text: >
        az amlk8s extension delete -n azureml-extension -t connectedClusters -c my-cluster -g my-group
        --delete-dependencies
  - name: Remove the extension without being asked.
    text: az amlk8s extension delete -n azureml-extension -t managedClusters -c my-aks -g my-group --yes
"""

helps["amlk8s extension wait"] = """
type: command
short-summary: Wait until the extension meets a condition.
long-summary: When the time is up the exit code is 0 all the same; look at provisioningState afterwards.
examples:
  - name: Wait until the installation has succeeded.
    text: az amlk8s extension wait -n azureml-extension -t managedClusters -c my-aks -g my-group --created
"""

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

helps["amlk8s explain"] = """
type: command
short-summary: Explain an error code or message of the extension, a compute, a job or a pod.
long-summary: >
    Works offline, on messages from anywhere: a log, a ticket, Terraform, the portal. The cause comes before the errors
    that wrap it. Of a text that is not known it keeps what could be read.
examples:
  - name: Explain a code of the health check.
    text: az amlk8s explain E40001
  - name: Tell the two meanings of a code apart.
    text: az amlk8s explain E45004 --scope job
  - name: Explain a message.
    text: >
        az amlk8s explain "failed pre-install: pod healthcheck failed"
  - name: Explain what a command has printed.
    text: az amlk8s explain -
  - name: List all that is known as a table.
    text: az amlk8s explain --list -o table
"""
