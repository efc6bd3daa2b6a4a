"""The pages that document the rules over instance types, and how their problems are written."""

from __future__ import annotations

import re
from typing import Any

from azext_amlk8s.instance_types.yaml_documents import Document, Path
from azext_amlk8s.rules import Problem

GUIDE = "https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types"
NAMES = "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/"
LABELS = "https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/"
QUANTITIES = "https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/"
RESOURCES = "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/"
APPLY = "https://kubernetes.io/docs/reference/using-api/server-side-apply/"
TROUBLESHOOT = "https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute"

PLACEHOLDER = re.compile(r"^<[^<>]+>$")
TYPE_NAMES = {list: "a list", str: "a string", int: "a number", float: "a number", bool: "a Boolean", dict: "a mapping"}


def problem_at(
    document: Document, path: Path, message: str, *, expected: str = "", found: str = "", fix: str = ""
) -> Problem:
    """A problem with a part of a document; its message begins with file, line, column and path."""
    place = document.place(*path)
    return Problem(place, f"{place}: {message}", expected, found, fix)


def describe_type(value: Any) -> str:
    """The type of a value in a sentence."""
    return TYPE_NAMES.get(type(value), "null" if value is None else "another type")


def shorten(value: object, limit: int = 60) -> str:
    """A value for a message, cut where it is absurdly long."""
    text = str(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
