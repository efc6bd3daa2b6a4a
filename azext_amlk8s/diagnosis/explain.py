"""From a code or a text to what it means, why it happens and how to fix it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from azext_amlk8s.diagnosis import knowledge_base
from azext_amlk8s.diagnosis.azure_errors import CodedMessage, errors_in_text
from azext_amlk8s.diagnosis.health_report import HealthReport, read_report
from azext_amlk8s.diagnosis.helm_errors import read_helm
from azext_amlk8s.diagnosis.knowledge_base import Entry, Match
from azext_amlk8s.diagnosis.pod_failures import Failure
from azext_amlk8s.shell import quote

HEALTH_CODE = re.compile(r"\bE4\d{4}\b", re.I)
CODE_WORD = re.compile(r"\b(?:(?=\w{1,80}?[a-z][A-Z])[A-Z]\w{6,80}|[A-Z]{3,40}(?:_[A-Z]{1,40}){1,8})\b")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}(?:-[A-Z]+)*\b")
# Of a longer text, the first and the last half of this many characters are read.
MAX_TEXT = 40_000
MAX_LOOSE_CODES = 200


@dataclass(frozen=True)
class Explanation:
    """What is known about one failure. Where `known` is false nothing is, and `parts` hold what could be read: the
    message, the parts of Helm's text, the health check, the pod. `parts["names"]` are the names in the message.
    """

    code: str
    scope: str = ""
    known: bool = True
    name: str = ""
    meaning: str = ""
    cause: str = ""
    fix: tuple[str, ...] = ()
    source: str = ""
    wrapper: bool = False
    general: bool = False
    parts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Code and name."""
        return f"{self.code} {self.name}".strip()


def explain(text: str, scope: str = "") -> tuple[Explanation, ...]:
    """What a code or a text reports, causes before wrappers; at least one explanation, which may be unknown.

    A code alone that has two meanings gives both. Never raises, and reads at most MAX_TEXT characters.
    """
    text = shorten(text.strip())
    if alone := knowledge_base.entries_of_code(text, scope=scope):
        return tuple(explain_entry(entry) for entry in alone)
    coded = errors_in_text(text)
    explanations = [*_explain_checks(read_report(text)), *_explain_coded(coded, text)]
    # A message inside JSON is escaped in the text itself.
    messages = "\n".join(dict.fromkeys(message.message for message in coded))
    explanations += [*_explain_text(shorten(messages)), *_explain_text(text)]
    codes = {explanation.code for explanation in explanations}
    explanations += [explanation for explanation in _explain_loose_codes(text) if explanation.code not in codes]
    return _ranked(explanations, text)


def explain_failure(
    coded: Iterable[CodedMessage] = (),
    reports: Iterable[HealthReport] = (),
    failures: Iterable[Failure] = (),
    text: str = "",
) -> tuple[Explanation, ...]:
    """The same for what was collected after a failure: messages of ARM, health reports, failures in the cluster."""
    coded = tuple(replace(message, message=shorten(message.message)) for message in coded)
    explanations = [explanation for report in reports for explanation in _explain_checks(report)]
    explanations += [explanation for failure in failures for explanation in _explain_pod(failure)]
    for message in coded:
        explanations += _explain_coded((message,), message.message) + _explain_text(message.message)
    text = shorten(text)
    explanations += _explain_text(text) if text else []
    return _ranked(explanations, "\n".join([message.message for message in coded] + [text]))


def explain_entry(
    entry: Entry, parts: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
) -> Explanation:
    """An entry of the knowledge base as an explanation, with what was read and with names filled into its fix."""
    read = {**(parts or {}), "names": dict(names or {})}
    return Explanation(
        entry.code,
        entry.scope,
        True,
        entry.name,
        entry.meaning,
        entry.cause,
        tuple(fill_placeholders(line, names or {}) for line in entry.fix),
        entry.source,
        entry.wrapper,
        entry.general,
        {key: value for key, value in read.items() if value},
    )


def shorten(text: str) -> str:
    """The first and the last part of a text that is longer than MAX_TEXT."""
    half = MAX_TEXT // 2
    return text if len(text) <= MAX_TEXT else f"{text[:half]}\n{text[-half:]}"


def fill_placeholders(line: str, names: Mapping[str, str]) -> str:
    """A line of a fix with the names of the message in place of its placeholders (POD, NAMESPACE, WEBHOOK …)."""
    known = {key.upper().replace("_", "-"): value for key, value in names.items()}
    return PLACEHOLDER.sub(lambda found: quote(known[found[0]]) if found[0] in known else found[0], line)


def _explain_checks(report: HealthReport) -> list[Explanation]:
    explanations = []
    for check in report.failed:
        parts = {
            "subject": f"health check {check.name}",
            "hook": report.hook,
            "check": check.name,
            "message": check.message,
            "correlationId": report.correlation_id,
        }
        known = knowledge_base.entries_of_code(check.code, scope="health") if check.code else ()
        known = known or tuple(match.entry for match in knowledge_base.matches(check.message))
        explanations += [explain_entry(entry, parts) for entry in known] or [_unknown(check.code, parts)]
    return explanations


def _explain_coded(coded: Iterable[CodedMessage], surroundings: str) -> list[Explanation]:
    explanations = []
    for message in coded:
        if not message.code:
            continue
        parts = {"message": message.message, "target": message.target, **_helm_parts(message.message)}
        known = knowledge_base.entries_of_code(message.code, message.message or surroundings)
        explanations += [explain_entry(entry, parts) for entry in known] or [_unknown(message.code, parts)]
    return explanations


def _explain_text(text: str) -> list[Explanation]:
    return [
        _explain_match(match, {"message": match.line, **_helm_parts(match.line)})
        for match in knowledge_base.matches(text)
    ]


def _explain_match(match: Match, parts: Mapping[str, Any]) -> Explanation:
    return explain_entry(match.entry, parts, match.names)


def _explain_pod(failure: Failure) -> list[Explanation]:
    names = {failure.kind.lower(): failure.name, "namespace": failure.namespace, "node": failure.node}
    names = {key: value for key, value in names.items() if key and value}
    parts = {
        "subject": f"{failure.kind} {failure.name}".strip(),
        "namespace": failure.namespace,
        "node": failure.node,
        "container": failure.container,
        "restarts": failure.restarts,
        "message": failure.text,
    }
    message = shorten(failure.message)
    matches = [replace(match, names={**names, **match.names}) for match in knowledge_base.matches(message)]
    by_message = [_explain_match(match, parts) for match in matches]
    by_reason = [
        explain_entry(entry, parts, names) for entry in knowledge_base.entries_of_code(failure.reason, message)
    ]
    specific = ([explanation for explanation in group if not explanation.general] for group in (by_message, by_reason))
    return next(filter(None, [*specific, by_message, by_reason]), [_unknown(failure.reason, parts)])


def _helm_parts(text: str) -> dict[str, Any]:
    helm = read_helm(text)
    return {"helm": {key: value for key, value in asdict(helm).items() if value}} if helm else {}


def _explain_loose_codes(text: str) -> list[Explanation]:
    """Codes anywhere in a text, such as in the line of a log."""
    explanations: list[Explanation] = []
    lines: set[tuple[str, str]] = set()
    for match in (*HEALTH_CODE.finditer(text), *CODE_WORD.finditer(text)):
        is_health = match.re is HEALTH_CODE
        if not (known := knowledge_base.entries_of_code(match[0])) or len(lines) >= MAX_LOOSE_CODES:
            continue
        start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - knowledge_base.MAX_LINE)
        end = text.find("\n", match.end(), match.end() + knowledge_base.MAX_LINE)
        line = " ".join(text[start : end if end >= 0 else match.end() + knowledge_base.MAX_LINE].split())
        if (match[0], line) in lines:
            continue
        lines.add((match[0], line))
        known = knowledge_base.entries_of_code(match[0], line)
        is_code = {entry for entry in known if match[0].lower() != entry.plugin.lower()}
        explanations += [
            explain_entry(entry, {"message": line})
            for entry in known
            if entry in is_code and (is_health or entry.fits(line))
        ]
    return explanations


def _unknown(code: str, parts: Mapping[str, Any]) -> Explanation:
    return Explanation(code, known=False, parts={key: value for key, value in parts.items() if value})


def _rank(explanation: Explanation) -> tuple[bool, ...]:
    is_wrapper = explanation.wrapper
    return not explanation.known, is_wrapper, is_wrapper and explanation.scope == "arm", explanation.general


def _ranked(found: list[Explanation], text: str) -> tuple[Explanation, ...]:
    """Causes before general explanations before wrappers before unknown ones; each failure once for each subject."""
    distinct: dict[tuple[str, str, str, str], Explanation] = {}
    for explanation in found:
        key = (explanation.code, explanation.scope, explanation.name, str(explanation.parts.get("subject") or ""))
        earlier = distinct.get(key)
        distinct[key] = explanation if earlier is None else _merged(earlier, explanation)
    with_subject = {key[:3] for key in distinct if key[3]}
    order = [explanation for key, explanation in distinct.items() if key[3] or key[:3] not in with_subject]
    order = [explanation for explanation in order if not explanation.general or not _is_explained(explanation, order)]
    order.sort(key=_rank)
    message = " ".join(text[: 4 * knowledge_base.MAX_LINE].split())[: knowledge_base.MAX_LINE]
    return tuple(order) or (_unknown("", {"message": message, **_helm_parts(text)}),)


def _merged(earlier: Explanation, later: Explanation) -> Explanation:
    """One explanation of two of the same failure: what was read first, and the fix that has more names filled in."""
    fix = later.fix if later.parts.get("names") and not earlier.parts.get("names") else earlier.fix
    return replace(earlier, fix=fix, parts={**later.parts, **earlier.parts})


def _is_explained(general: Explanation, others: Iterable[Explanation]) -> bool:
    """Whether something more specific explains the message of a general explanation."""
    message = str(general.parts.get("message") or "")
    for other in others:
        if other.known and not other.general and not other.wrapper:
            text = str(other.parts.get("message") or "")
            if text and (text in message or message in text):
                return True
    return False
