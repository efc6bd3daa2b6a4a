"""Microsoft.MachineLearningServices."""

from sandbox.azure.behaviours import StoredType
from sandbox.azure.machine_learning_services.computes import Computes
from sandbox.azure.machine_learning_services.deployments import OnlineDeployments
from sandbox.azure.machine_learning_services.vm_sizes import VirtualMachineSizes

ALL = (
    Computes(),
    VirtualMachineSizes(),
    StoredType("Microsoft.MachineLearningServices/workspaces/onlineEndpoints"),
    OnlineDeployments(),
    StoredType("Microsoft.MachineLearningServices/workspaces/jobs"),
)
