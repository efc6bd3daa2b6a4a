"""Rules over files: their syntax, and the comments that suppress findings."""

from __future__ import annotations

from azext_amlk8s.rules import Problem, Problems, Severity, rule

GUIDE = "https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax"


@rule(
    "L100",
    Severity.ERROR,
    title="Syntax of files",
    requires="A file can be parsed.",
    source=GUIDE,
    why="Nothing in it can be checked.",
)
def invalid_file(problem: str) -> Problems:
    """A file with an error in its syntax; problem is a clause that says which."""
    yield Problem("file", f"cannot be parsed: {problem}.")
