"""The main job, told with the real az on the sandbox: every command is printed before its output."""
from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.prove_wheel import ROOT, install_extension

AKS = "--cluster-name aks-poc --cluster-type managedClusters --resource-group ml-rg"
MINIKUBE = "--cluster-name minikube --cluster-type connectedClusters --resource-group ml-rg"
SUBSCRIPTION = "$(az account show --query id -o tsv)"
IDENTITY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/ml-identity"
MINIKUBE_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.Kubernetes/connectedClusters/minikube"

# (what happens, command, exit code)
STORY: list[tuple[str, str, int]] = [
    ("A quick proof of concept on AKS: but one setting is misspelt, and nothing says how to serve.",
     "az amlk8s extension create --name azureml-extension --extension-type Microsoft.AzureML.Kubernetes "
     f"--config enableTraining=yes enableInferense=True {AKS} --scope cluster", 1),
    ("Now as it is meant: training and inference.",
     "az amlk8s extension create --name azureml-extension --extension-type Microsoft.AzureML.Kubernetes "
     "--config enableTraining=True enableInference=True inferenceRouterServiceType=LoadBalancer "
     f"allowInsecureConnections=True inferenceLoadBalancerHA=False {AKS} --scope cluster -o table", 0),
    ("What Azure says of it.", f"az amlk8s extension show --name azureml-extension {AKS} --query properties.provisioningState", 0),
    ("The components in the cluster.", "kubectl --context aks-poc get pods -n azureml", 0),
    ("Minikube, connected through Arc, for training only: started, then waited for.",
     "az amlk8s extension create --name azureml-extension --extension-type Microsoft.AzureML.Kubernetes "
     f"--config enableTraining=True {MINIKUBE} --scope cluster --no-wait --query properties.provisioningState", 0),
    ("", f"az amlk8s extension wait --name azureml-extension {MINIKUBE} --created --interval 1", 0),
    ("", f"az amlk8s extension list {MINIKUBE} -o table", 0),
    ("", "kubectl --context minikube get pods -n azureml", 0),
    ("Both clusters become computes of a workspace; the first with a user-assigned identity.",
     f"az amlk8s compute attach --resource-group ml-rg --workspace-name ml-ws --name k8s-compute {AKS.removesuffix(' --resource-group ml-rg')} "
     f'--type Kubernetes --identity-type UserAssigned --user-assigned-identities "{IDENTITY}" -o table', 0),
    ("", f'az amlk8s compute attach --resource-group ml-rg --workspace-name ml-ws --name amlarc-compute --resource-id "{MINIKUBE_ID}" '
         "--type kubernetes -o table", 0),
    ("", "az amlk8s compute list --resource-group ml-rg --workspace-name ml-ws -o table", 0),
    ("Instance types: at first there is only the built-in default.", "az amlk8s instance-type list --context aks-poc -o table", 0),
    ("One from a file,", "az amlk8s instance-type create --context aks-poc -f examples/instance-type.yaml -o table", 0),
    ("several from a list, the default overridden among them,",
     "kubectl --context aks-poc apply -f examples/instance-type-list.yaml", 0),
    ("and one from flags, in a cluster whose credentials Azure gives.",
     "az amlk8s instance-type create --cluster-name aks-poc --resource-group ml-rg --name cpu-large --cpu-limit 2 --memory-limit 4Gi -o table", 0),
    ("", "az amlk8s instance-type list --context aks-poc -o table", 0),
    ("", "az amlk8s instance-type show --context aks-poc --name defaultinstancetype", 0),
    ("The workspace sees them too.",
     "az amlk8s compute show --resource-group ml-rg --workspace-name ml-ws --name k8s-compute --query 'properties.properties.keys(instanceTypes)'", 0),
    ("And all of it is taken down again.", "az amlk8s instance-type delete --context aks-poc --name cpu-large --yes", 0),
    ("", "az amlk8s compute detach --resource-group ml-rg --workspace-name ml-ws --name k8s-compute --yes", 0),
    ("", "az amlk8s compute detach --resource-group ml-rg --workspace-name ml-ws --name amlarc-compute --yes", 0),
    ("", f"az amlk8s extension delete --name azureml-extension {AKS} --yes", 0),
    ("", f"az amlk8s extension delete --name azureml-extension {MINIKUBE} --yes", 0),
    ("", f"az amlk8s extension list {AKS} -o table", 0),
]


def main() -> int:
    """Exit code 0 only if every command of the story ended as told."""
    with tempfile.TemporaryDirectory(prefix="amlk8s-demo-") as folder:
        sandbox("up", "--dir", folder, "--provisioning-seconds", "3")
        try:
            environment = {**os.environ, **exports(sandbox("env", "--dir", folder)), "PATH": path()}
            install_extension(Path(environment["AZURE_CONFIG_DIR"]))
            return tell(environment, Path(folder) / "work")
        finally:
            sandbox("down", "--dir", folder)


def sandbox(*words: str) -> str:
    """Run a command of the sandbox and return what it printed."""
    return subprocess.run([sys.executable, "-m", "sandbox", *words], cwd=ROOT, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def exports(lines: str) -> dict[str, str]:
    """The variables that `export NAME=VALUE` lines set."""
    words = (shlex.split(line)[1] for line in lines.splitlines() if line.startswith("export "))
    return dict(word.split("=", 1) for word in words)


def path() -> str:
    """PATH with the az of this environment first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def tell(environment: dict[str, str], work: Path) -> int:
    """Run the story in a folder that holds only the examples; stop at the first surprise."""
    shutil.copytree(ROOT / "examples", work / "examples")
    for what, command, expected in STORY:
        if command.startswith("kubectl") and not shutil.which("kubectl"):
            print(f"\n# {what} (left out: kubectl is not installed)", flush=True)
            command = kubectl_stand_in(command)
            if not command:
                continue
        print(f"\n# {what}\n$ {command}" if what else f"\n$ {command}", flush=True)
        code = subprocess.run(["bash", "-c", command], cwd=work, env=environment, stderr=subprocess.STDOUT,
                              check=False).returncode
        if code != expected:
            print(f"\nThe demo expected exit code {expected} and got {code}.", file=sys.stderr)
            return 1
    return 0


def kubectl_stand_in(command: str) -> str:
    """The command of ours that does what `kubectl apply` of instance types does; empty for what we have none for."""
    if " apply " not in command:
        return ""
    return command.replace("kubectl", "az amlk8s instance-type create").replace(" apply ", " ")


if __name__ == "__main__":
    sys.exit(main())
