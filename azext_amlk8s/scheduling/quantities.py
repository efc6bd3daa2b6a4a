"""Quantities of Kubernetes, by the grammar of the API server.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal, localcontext
from functools import lru_cache

# The grammar of apimachinery's ParseQuantity.
GRAMMAR = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>[0-9]*)(?:\.(?P<rest>[0-9]*))?"
    r"(?P<suffix>[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?"
)
MULTIPLIERS = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("n", "u", "m", "", *"kMGTPE"), -3)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)},
}
THOUSANDTH = Decimal("0.001")
NEEDS_DIGITS = ("Pi", "Ei")  # without a number the API server reads 0 with any other suffix
MOST_CHARACTERS = 1000  # no real quantity is longer; it would cost time
EXPONENT_DIGITS = 4  # of a number other than 0
MOST = Decimal(2**63 - 1)  # apimachinery caps values with binary suffixes


@lru_cache(maxsize=4096)
def quantity(text: str) -> Decimal | None:
    """A quantity in its base unit, rounded up to thousandths as the API server's defaults do; None if invalid."""
    match = GRAMMAR.fullmatch(text.strip()) if len(text) <= MOST_CHARACTERS else None
    if not text.strip() or not match:
        return None
    suffix = match["suffix"] or ""
    if suffix in NEEDS_DIGITS and not (match["whole"] or match["rest"]):
        return None
    word = f"{match['sign']}{match['whole'] or '0'}.{match['rest'] or '0'}"
    exponent = len(suffix) > 1 and suffix[0] in "eE" and suffix[1] != "i"
    if exponent and len(suffix.lstrip("eE+-").lstrip("0")) > EXPONENT_DIGITS:
        return None if (match["whole"] + (match["rest"] or "")).strip("0") else Decimal("0.000")
    with localcontext(Context(prec=20_100, Emax=20_000, Emin=-20_000)):
        value = Decimal(word + suffix) if exponent else Decimal(word) * MULTIPLIERS[suffix]
        rounded = value.quantize(THOUSANDTH, rounding=ROUND_UP)
    if suffix.endswith("i") and abs(rounded) > MOST:
        return MOST.copy_sign(rounded)
    return rounded


def amount(value: object) -> Decimal | None:
    """The same for a value of a document, a string or a number; None for any other value."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        return quantity(str(value))
    except ValueError:  # an integer of thousands of digits
        return None
