"""Comments that suppress findings: # amlk8s:ignore=S108 reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from azext_amlk8s.lint.file_rules import ignore_without_reason, unused_ignore
from azext_amlk8s.lint.files import SourceFile
from azext_amlk8s.lint.model import LintFinding
from azext_amlk8s.lint.values import Mark

COMMENT = re.compile(
    r"(?:#|//)[ \t]*amlk8s:ignore(?:[ \t]*=[ \t]*(?P<ids>[A-Za-z]\d{3}(?:[ \t]*,[ \t]*[A-Za-z]\d{3})*))?(?P<rest>.*)$"
)
BRACKETS = {"{": 1, "[": 1, "(": 1, "}": -1, "]": -1, ")": -1}
CONTINUATIONS = ("\\", "`")


@dataclass(frozen=True)
class Ignore:
    """A comment: the rules that it names, the lines that it covers, and its reason."""

    mark: Mark
    rules: tuple[str, ...]
    lines: range
    reason: str

    def covers(self, found: LintFinding) -> bool:
        """Whether the comment is about this finding."""
        return (
            found.finding.id in self.rules and found.mark.source == self.mark.source and found.mark.line in self.lines
        )


def apply_ignores(files: Sequence[SourceFile], findings: Iterable[LintFinding]) -> list[LintFinding]:
    """The findings that no comment suppresses, and those on comments without a reason or without effect."""
    comments = [comment for file in files if "amlk8s:ignore" in file.text for comment in read_ignores(file)]
    kept: list[LintFinding] = []
    used: set[tuple[Mark, str]] = set()
    for found in findings:
        covering = [comment for comment in comments if comment.reason and comment.covers(found)]
        used.update((comment.mark, found.finding.id) for comment in covering)
        if not covering:
            kept.append(found)
    for comment in comments:
        if not comment.rules or not comment.reason:
            kept += [LintFinding(each, comment.mark) for each in ignore_without_reason(comment.rules)]
            continue
        unused = [rule for rule in comment.rules if (comment.mark, rule) not in used]
        kept += [LintFinding(each, comment.mark) for rule in unused for each in unused_ignore(rule)]
    return kept


def read_ignores(file: SourceFile) -> Iterator[Ignore]:
    """The comments of a file."""
    lines = file.text.split("\n")
    for number, line in enumerate(lines):
        match = COMMENT.search(line)
        if not match:
            continue
        rules = tuple(rule.strip().upper() for rule in (match.group("ids") or "").split(",") if rule.strip())
        reason = match.group("rest").strip().strip("-:").removesuffix("*/").strip()
        is_alone = not line[: match.start()].strip()
        covered = range(number + 2, _end(lines, number + 1) + 2) if is_alone else range(number + 1, number + 2)
        yield Ignore(Mark(file.name, number + 1, match.start() + 1), rules, covered, reason)


def _end(lines: list[str], start: int) -> int:
    """The index of the last line of what begins on the next line that is no comment: a block, a command, a YAML key."""
    while start < len(lines) and (not lines[start].strip() or COMMENT.search(lines[start])):
        start += 1
    if start >= len(lines):
        return len(lines) - 1
    depth, index = 0, start
    indent = len(lines[start]) - len(lines[start].lstrip())
    opens = lines[start].rstrip().endswith((":", "|", ">", "|-", ">-"))
    while index < len(lines):
        line = lines[index].rstrip()
        depth += sum(BRACKETS.get(character, 0) for character in re.sub(r"'[^']*'|\"[^\"]*\"", "", line))
        following = lines[index + 1] if index + 1 < len(lines) else ""
        is_deeper = opens and following.strip() and len(following) - len(following.lstrip()) > indent
        if depth <= 0 and not line.endswith(CONTINUATIONS) and not is_deeper:
            return index
        index += 1
    return len(lines) - 1
