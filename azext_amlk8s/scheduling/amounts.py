"""Amounts of resources as whole thousandths: millicores, thousandths of a byte, thousandths of a GPU.

Kubernetes quantities have no finer unit, so nothing is lost, and comparing integers is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache

from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.values import mapping

Amounts = Mapping[str, int]
MIB, GIB = 1024**2, 1024**3
GPU = "nvidia.com/gpu"
LARGEST = Decimal(2**63 - 1)  # as in Kubernetes; also keeps absurd quantities from costing time
NAMES = {"cpu": "CPU", "memory": "memory", "pods": "pods", "ephemeral-storage": "ephemeral storage", GPU: "GPU"}


@lru_cache(maxsize=65536)
def thousandths(quantity: object, up: bool = False) -> int:
    """A Kubernetes quantity in thousandths of its base unit, rounded down, or up; 0 for an invalid quantity."""
    number = amount(quantity)
    if number is None:
        return 0
    number = min(number, LARGEST)
    return int((number * 1000).to_integral_value(rounding=ROUND_CEILING if up else ROUND_FLOOR))


def amounts(quantities: Mapping[str, object] | None, *, up: bool = False) -> dict[str, int]:
    """The quantities of a map of resources in thousandths; null values are left out."""
    return {
        key: thousandths(value, up) if isinstance(value, (str, int, float)) else 0
        for key, value in mapping(quantities).items()
        if value is not None
    }


def add(total: dict[str, int], extra: Amounts) -> None:
    """Add amounts to a total in place."""
    for key, value in extra.items():
        total[key] = total.get(key, 0) + value


def subtract(available: Amounts, taken: Amounts) -> dict[str, int]:
    """What is left of the available amounts, never below zero."""
    return {key: max(value - taken.get(key, 0), 0) for key, value in available.items()}


def format_amount(resource: str, value: int) -> str:
    """An amount in thousandths for a person: 3.86, 500m, 12.6Gi."""
    if resource == "cpu":
        return f"{value}m" if value < 1000 else _short(Decimal(value) / 1000)
    if "memory" in resource or "storage" in resource:
        size = Decimal(value) / 1000
        return f"{_short(size / GIB)}Gi" if size >= GIB else f"{_short(size / MIB)}Mi"
    return _short(Decimal(value) / 1000)


def resource_name(resource: str) -> str:
    """The name of a resource in a sentence: CPU, memory, GPU; others by their Kubernetes name."""
    return NAMES.get(resource, resource)


def describe_amount(resource: str, value: int) -> str:
    """An amount with its resource: 3.86 CPU, 12.6Gi memory, 2 GPU."""
    return f"{format_amount(resource, value)} {resource_name(resource)}"


def _short(number: Decimal) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
