"""The help of az amlk8s check, az amlk8s explain and az amlk8s extension diagnose."""

from knack.help_files import helps

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

helps["amlk8s check"] = """
type: command
short-summary: Check a cluster, its extension and its compute, and say what is wrong and what mends it.
long-summary: >
    Looks at your subscription, the cluster in Azure, the cluster itself, the extension, its components, the compute and
    the instance types. What is found is told on stderr as it is found; the report is the result, and the exit code is 1
    where there is an error. Nothing is ever written. With --pre it checks what an installation needs.
examples:
  - name: Check what an installation of training and inference needs.
    text: az amlk8s check --pre -g my-group -c my-aks -t managedClusters --scenario both
  - name: Check an installation and the compute on it.
    text: az amlk8s check -g my-group -c my-aks -t managedClusters -w my-workspace --compute-name k8s-compute
  - name: Wait until a fresh installation is healthy, ten minutes at most.
    text: az amlk8s check -g my-group -c my-aks -t managedClusters --wait 10
  - name: Look at the components alone, as a table.
    text: az amlk8s check -g my-group -c my-aks -t managedClusters --only components -o table
  - name: Leave out what needs the cluster itself.
    text: az amlk8s check -g my-group -c my-arc -t connectedClusters --only subscription azure
"""

helps["amlk8s extension diagnose"] = """
type: command
short-summary: Write everything that a support case needs into one archive, secrets removed.
long-summary: >
    Holds the report of all checks, what Azure and the cluster say of the extension, the health report, pods, events and
    logs, and a page that opens in a browser without network. Everything lies in a new folder that only you can read.
examples:
  - name: Write the diagnosis of a cluster.
    text: az amlk8s extension diagnose -g my-group -c my-aks -t managedClusters --output-folder .
"""
