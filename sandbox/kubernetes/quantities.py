"""Kubernetes quantities as exact numbers.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(?:([eE][+-]?[0-9]+)|([KMGTPE]i|[numkMGTPE])?)$")
_BINARY = {f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)}
_DECIMAL = {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("0.001"), "k": Decimal(1000)}
_DECIMAL |= {letter: Decimal(1000) ** power for power, letter in enumerate("MGTPE", 2)}


def parse_quantity(quantity: Any) -> Decimal:
    """The value of a quantity such as 500m or 2Gi. Raises ValueError."""
    match = _QUANTITY.match(str(quantity))
    if not match:
        raise ValueError(f"'{quantity}' is not a quantity")
    number, exponent, suffix = match.groups()
    try:
        return Decimal(number + (exponent or "")) * (_BINARY | _DECIMAL).get(suffix or "", Decimal(1))
    except InvalidOperation as error:
        raise ValueError(f"'{quantity}' is not a quantity") from error


def format_quantity(value: Decimal, resource: str) -> str:
    """A quantity as the API server prints a sum: memory with a binary suffix, fractions in thousandths."""
    if value != value.to_integral_value():
        return f"{int(value * 1000)}m"
    if resource.rsplit(".", 1)[-1] in ("memory", "ephemeral-storage", "storage"):
        for suffix, factor in reversed(_BINARY.items()):
            if value and value % factor == 0:
                return f"{int(value / factor)}{suffix}"
    return str(int(value))
