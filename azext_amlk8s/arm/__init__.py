"""The only door to Azure."""

from azext_amlk8s.arm.client import Arm
from azext_amlk8s.arm.follow import follow
from azext_amlk8s.arm.operation import Operation

__all__ = ["Arm", "Operation", "follow"]
