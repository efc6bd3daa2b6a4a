"""The help of az amlk8s extension."""

from knack.help_files import helps

from azext_amlk8s._help_settings import parameters

helps["amlk8s extension"] = """
type: group
short-summary: Manage the Azure Machine Learning extension of a cluster.
"""

helps["amlk8s extension create"] = f"""
type: command
short-summary: Install the Azure Machine Learning extension on a cluster.
long-summary: >
    The settings are judged, all at once, before anything is sent. At least one of enableTraining and enableInference
    must be True. Inference needs inferenceRouterServiceType, and either a certificate or allowInsecureConnections=True.
    On an Arc-connected cluster a Relay namespace is created, which is billed. The command can be repeated: it goes on
    where an interrupted run ended, and changes nothing where all is as asked for.
{parameters(every=True)}
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

helps["amlk8s extension validate"] = f"""
type: command
short-summary: Judge settings, without a login, or with the facts of a cluster.
long-summary: >
    Every finding is an object with id, severity, message and fix, errors first; the exit code is 1 when there is an error. Nothing is
    ever written. Keys are known by every name that they had; docs/settings.md lists them, and az amlk8s extension settings list.
{parameters()}
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

helps["amlk8s extension update"] = f"""
type: command
short-summary: Change settings or the version of the extension.
long-summary: >
    Only what differs from what is deployed is sent. The service replaces protected settings as a whole: when one of
    them changes, those that can be read from Azure again are sent along, and the others are asked for before anything
    is sent. Settings can be changed but not removed.
{parameters()}
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
long-summary: The exit code is 1 when the time is up, or when it has failed.
examples:
  - name: Wait until the installation has succeeded.
    text: az amlk8s extension wait -n azureml-extension -t managedClusters -c my-aks -g my-group --created
"""
