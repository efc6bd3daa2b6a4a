"""The only door to Azure."""

from azext_amlk8s.azure.client import Arm
from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.state_poller import Settling

__all__ = ["Arm", "Operation", "Settling"]
