"""The functions of templates that depend on their arguments alone.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions
"""

from __future__ import annotations

import base64
import datetime
import json
import re
import urllib.parse
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.azure.deployments import collection_functions
from sandbox.azure.deployments.collection_functions import text_of
from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.deployments.unique_string import guid, unique_string

Function = Callable[..., Any]
PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d+)(?:,(-?\d+))?(?::([^}]*))?\}")
# The custom formats of .NET that templates use for times, longest first.
TIME_FORMATS = (
    ("yyyy", "%Y"), ("yy", "%y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"),
)  # fmt: skip
DURATION = re.compile(
    r"^(-)?P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$", re.I
)


def format_text(template: str, *values: Any) -> str:
    """Composite formatting, with positions, alignments and the formats of numbers that templates use."""

    def fill(found: re.Match[str]) -> str:
        if found.group(1) is None:
            return found.group(0)[0]
        index = int(found.group(1))
        if index >= len(values):
            raise TemplateError(
                "Unable to evaluate template language function 'format': Index (zero based) must be greater than or "
                "equal to zero and less than the size of the argument list."
            )
        text = _number_format(values[index], found.group(3) or "")
        width = int(found.group(2) or 0)
        return text.rjust(width) if width >= 0 else text.ljust(-width)

    return PLACEHOLDER.sub(fill, template)


def _number_format(value: Any, style: str) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and style:
        if style[0] in "dD":
            return f"{value:0{int(style[1:] or 0)}d}"
        if style[0] in "xX":
            return f"{value:0{int(style[1:] or 0)}{style[0]}}"
        if style[0] in "nN":
            return f"{value:,.{int(style[1:] or 2)}f}"
        if set(style) == {"0"}:
            return f"{value:0{len(style)}d}"
    return text_of(value)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise TemplateError("The template language function 'json' parameter is not valid JSON.") from None


def _int(value: Any) -> int:
    try:
        return int(value)
    except (ValueError, TypeError):
        raise TemplateError(
            f"The template language function 'int' cannot convert provided value '{value}' to integer value."
        ) from None


def _bool(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false", "1", "0"):
        return value.lower() in ("true", "1")
    if isinstance(value, bool | int):
        return bool(value)
    raise TemplateError(f"The template language function 'bool' cannot convert provided value '{value}' to boolean.")


def _substring(text: str, start: int, length: int | None = None) -> str:
    if start < 0 or start > len(text) or (length is not None and start + length > len(text)):
        raise TemplateError(
            "Unable to evaluate the template language function 'substring'. The index and length parameters must "
            f"refer to a location within the string. The index parameter: '{start}', the length parameter: "
            f"'{length}', the length of the string parameter: '{len(text)}'."
        )
    return text[start:] if length is None else text[start : start + length]


def _split(text: str, delimiters: Any) -> list[str]:
    marks = [delimiters] if isinstance(delimiters, str) else delimiters
    return re.split("|".join(re.escape(mark) for mark in marks), text)


def _uri(base: str, relative: str) -> str:
    return urllib.parse.urljoin(base, relative)


def _divide(left: int, right: int) -> int:
    if not right:
        raise TemplateError("The template language function 'div' cannot divide by zero.")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    if not right:
        raise TemplateError("The template language function 'mod' cannot divide by zero.")
    return left - right * _divide(left, right)


def format_time(moment: datetime.datetime, style: str = "") -> str:
    """A time in a format of .NET; without one as utcNow() writes it."""
    if not style:
        style = "yyyyMMddTHHmmssZ"
    if style in ("o", "O"):
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    if style == "u":
        return moment.strftime("%Y-%m-%d %H:%M:%SZ")
    if style == "d":
        return moment.strftime("%m/%d/%Y")
    for mark, directive in TIME_FORMATS:
        style = style.replace(mark, directive)
    return moment.strftime(style)


def _date_time_add(base: str, duration: str, style: str = "") -> str:
    found = DURATION.match(duration)
    if not found:
        raise TemplateError(f"The duration '{duration}' of the function 'dateTimeAdd' is not valid.")
    sign, *amounts = found.groups()
    years, months, weeks, days, hours, minutes, seconds = (int(amount or 0) for amount in amounts)
    change = datetime.timedelta(
        days=years * 365 + months * 30 + weeks * 7 + days, hours=hours, minutes=minutes, seconds=seconds
    )
    moment = _moment(base) + (-change if sign else change)
    return format_time(moment, style or "yyyy-MM-ddTHH:mm:ssZ")


def _moment(text: str) -> datetime.datetime:
    for style in ("%Y%m%dT%H%M%SZ", "%Y-%m-%d %H:%M:%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, style).replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            continue
    raise TemplateError(f"The time '{text}' is not valid.")


def _fail(message: str) -> Any:
    raise TemplateError(message)


def _equals(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, Mapping):
        return str(item).lower() in {key.lower() for key in container}
    return item in container if isinstance(container, list) else str(item) in container


FUNCTIONS: Mapping[str, Function] = {
    **collection_functions.FUNCTIONS,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64tojson": lambda text: _json(base64.b64decode(text).decode()),
    "base64tostring": lambda text: base64.b64decode(text).decode(),
    "datauri": lambda text: "data:text/plain;charset=utf8;base64," + base64.b64encode(text.encode()).decode(),
    "datauritostring": lambda text: base64.b64decode(text.split(",", 1)[-1]).decode(),
    "endswith": lambda text, end: text.lower().endswith(end.lower()),
    "startswith": lambda text, begin: text.lower().startswith(begin.lower()),
    "format": format_text,
    "guid": guid,
    "uniquestring": unique_string,
    "newguid": lambda: str(uuid.uuid4()),
    "padleft": lambda value, width, mark=" ": text_of(value).rjust(width, mark),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": _split,
    "string": text_of,
    "substring": _substring,
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "uri": _uri,
    "uricomponent": lambda text: urllib.parse.quote(text, safe=""),
    "uricomponenttostring": urllib.parse.unquote,
    "json": _json,
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "bool": _bool,
    "int": _int,
    "float": float,
    "add": lambda left, right: left + right,
    "sub": lambda left, right: left - right,
    "mul": lambda left, right: left * right,
    "div": _divide,
    "mod": _remainder,
    "not": lambda value: not value,
    "equals": _equals,
    "less": lambda left, right: left < right,
    "lessorequals": lambda left, right: left <= right,
    "greater": lambda left, right: left > right,
    "greaterorequals": lambda left, right: left >= right,
    "contains": _contains,
    "datetimeadd": _date_time_add,
    "datetimetoepoch": lambda text: int(_moment(text).timestamp()),
    "datetimefromepoch": lambda number: format_time(
        datetime.datetime.fromtimestamp(number, datetime.timezone.utc), "yyyy-MM-ddTHH:mm:ssZ"
    ),
    "utcnow": lambda style="": format_time(datetime.datetime.now(datetime.timezone.utc), style),
    "fail": _fail,
}
