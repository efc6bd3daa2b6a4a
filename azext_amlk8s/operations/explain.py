"""az amlk8s explain: what a code, the id of a finding or a message means. Works offline."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.diagnosis import Explanation
    from azext_amlk8s.rules import Rule

RULE_SCOPE = "rule"
RULE_ID = re.compile(r"[A-Z]\d{3}$", re.IGNORECASE)
# Standard input beyond this size is not read.
MAX_INPUT = 1_000_000
# The command that reports the rules of each letter, and prints the fix with the user's own values.
REPORTED_BY = {
    "S": "az amlk8s extension validate -g GROUP -c CLUSTER -t TYPE --config SETTING=VALUE",
    "T": "az amlk8s extension validate -g GROUP -c CLUSTER -t TYPE --config-protected SETTING=VALUE",
    "V": "az amlk8s extension validate -g GROUP -c CLUSTER -t TYPE --version VERSION",
    "F": "az amlk8s extension validate -g GROUP -c CLUSTER -t TYPE --config SETTING=VALUE",
    "U": "az amlk8s extension update -g GROUP -c CLUSTER -t TYPE -n NAME --dry-run",
    "C": "az amlk8s compute attach -g GROUP -w WORKSPACE -n NAME --resource-id CLUSTER-ID",
    "I": "az amlk8s instance-type apply -f FILE --dry-run",
    "N": "az amlk8s instance-type fit -g GROUP -c CLUSTER -t TYPE",
    "W": "az amlk8s workload check -f FILE",
    "D": "az amlk8s plan -f FILE",
    "L": "az amlk8s lint PATH",
}


def explain(
    cmd: AzCliCommand | None, text: Sequence[str] | None = None, everything: bool = False, scope: str | None = None
) -> list[dict[str, Any]]:
    """The explanations of a code, an id or a text, causes before wrappers; with everything the whole knowledge base."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError
    from knack.log import get_logger

    from azext_amlk8s import diagnosis

    message = " ".join(text or ()).strip()
    if everything and message:
        raise MutuallyExclusiveArgumentError("--list lists every code; it takes no code and no text.")
    if everything:
        return _list_all(scope)
    if message == "-":
        message = sys.stdin.buffer.read(MAX_INPUT).decode("utf-8", "replace").strip()
    if not message:
        raise RequiredArgumentMissingError(
            "Specify a code, the id of a finding, or the text of a message.",
            recommendation=["az amlk8s explain E40001", "az amlk8s explain --list -o table"],
        )
    if RULE_ID.match(message) and scope in (None, RULE_SCOPE):
        from azext_amlk8s.rules import all_rules

        if rules := [rule for rule in all_rules() if rule.id == message.upper()]:
            return [view_rule(rule) for rule in rules]
    explanations = diagnosis.explain(message, scope or "")
    if not any(explanation.known for explanation in explanations):
        get_logger(__name__).warning("No explanation is known for this text; 'parts' holds what could be read from it.")
    return [view(explanation) for explanation in explanations]


def view(explanation: Explanation) -> dict[str, Any]:
    """An explanation as the command returns it."""
    return {
        "code": explanation.code,
        "name": explanation.name,
        "scope": explanation.scope,
        "known": explanation.known,
        "meaning": explanation.meaning,
        "cause": explanation.cause,
        "fix": list(explanation.fix),
        "source": explanation.source,
        "parts": dict(explanation.parts),
    }


def view_rule(rule: Rule[Any]) -> dict[str, Any]:
    """A rule in the same form: its requirement, why it matters, and the command that reports it with its fix."""
    probe = " --probe" if rule.check and rule.check.category == "probe" else ""
    command = REPORTED_BY.get(rule.id[0], f"az amlk8s check -g GROUP -c CLUSTER -t TYPE --only {rule.id}{probe}")
    languages = {"languages": ", ".join(rule.languages)} if rule.languages else {}
    return {
        "code": rule.id,
        "name": rule.title,
        "scope": RULE_SCOPE,
        "known": True,
        "meaning": rule.requires,
        "cause": rule.why,
        "fix": [f"{command}   # reports where it is violated, with the fix for your names"],
        "source": rule.source,
        "parts": {"severity": rule.severity.value, **languages},
    }


def _list_all(scope: str | None) -> list[dict[str, Any]]:
    from azext_amlk8s import diagnosis
    from azext_amlk8s.rules import all_rules

    codes = [view(diagnosis.explain_entry(entry)) for entry in diagnosis.entries() if scope in (None, entry.scope)]
    rules: Iterable[Rule[Any]] = all_rules() if scope in (None, RULE_SCOPE) else ()
    return [*codes, *(view_rule(rule) for rule in rules)]
