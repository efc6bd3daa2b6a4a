"""From what the knowledge base says of a failure to a finding of a check."""

from __future__ import annotations

from azext_amlk8s.diagnosis import Explanation
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule


def explained(
    rule: Rule, one: Explanation, subject: str, message: str, *, required: str = "", found: str = "", fix: str = ""
) -> Finding:
    """A finding with what is known of its cause; fix is for what is not known."""
    why = f" {one.code} {one.name}".rstrip() + f": {one.meaning} {one.cause}" if one.known else ""
    text = message if message.endswith(".") else f"{message}."
    todo = "\n".join(one.fix) if one.known and one.fix else fix
    return rule.finding(subject, f"{text}{why}", required=required, found=found, fix=todo)
