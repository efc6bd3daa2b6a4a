"""The only door to Azure."""

from azext_amlk8s.arm.client import Arm
from azext_amlk8s.arm.follow import follow
from azext_amlk8s.arm.operation import Operation
from azext_amlk8s.arm.settling import Settling

__all__ = ["Arm", "Operation", "Settling", "follow"]
