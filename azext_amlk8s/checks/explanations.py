"""What is known of a failure, as a problem of a check."""

from __future__ import annotations

from azext_amlk8s.diagnosis import Explanation
from azext_amlk8s.rules import Problem


def explained_problem(
    explanation: Explanation,
    subject: str,
    message: str,
    *,
    expected: str = "",
    found: str = "",
    fix: str = "",
    related: tuple[str, ...] = (),
) -> Problem:
    """A problem with its cause where that is known; fix is for a cause that is not."""
    text = message if message.endswith(".") else f"{message}."
    if explanation.known:
        title = f"{explanation.code} {explanation.name}".rstrip()
        text = f"{text} {title}: {explanation.meaning} {explanation.cause}"
    steps = "\n".join(explanation.fix) if explanation.known and explanation.fix else fix
    return Problem(subject, text, expected, found, steps, related)
