"""Microsoft.MachineLearningServices."""

from sandbox.azure.behaviours import Kept
from sandbox.azure.machine_learning_services.computes import Computes
from sandbox.azure.machine_learning_services.vm_sizes import VirtualMachineSizes

ALL = (Computes(), VirtualMachineSizes(), Kept("Microsoft.MachineLearningServices/workspaces/onlineEndpoints"))
