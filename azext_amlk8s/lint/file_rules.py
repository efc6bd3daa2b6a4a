"""Rules over files: their syntax, and the comments that suppress findings."""

from __future__ import annotations

from collections.abc import Sequence

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


@rule(
    "L170",
    Severity.ERROR,
    title="Reasons of ignore comments",
    requires="A comment amlk8s:ignore names the rule and gives a reason.",
    why="Others cannot know later whether the finding may still be ignored.",
)
def ignore_without_reason(rules: Sequence[str]) -> Problems:
    """A comment without rules or without reason, which suppresses nothing."""
    missing = "the reason is" if rules else "the ID of a rule and the reason are"
    example = ",".join(rules) or "S108"
    fix = f"Write amlk8s:ignore={example} and why the finding may be ignored."
    yield Problem("amlk8s:ignore", f"amlk8s:ignore: {missing} missing.", fix=fix)


@rule(
    "L171",
    Severity.WARNING,
    title="Unused ignore comments",
    requires="A comment amlk8s:ignore suppresses a finding.",
    why="It would hide the finding when it occurs again.",
)
def unused_ignore(ignored: str) -> Problems:
    """A comment that names a rule without a finding on its lines."""
    message = f"amlk8s:ignore={ignored}: suppresses nothing."
    yield Problem("amlk8s:ignore", message, found=ignored, fix="Remove the comment.")
