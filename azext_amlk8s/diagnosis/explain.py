"""From a code or a text to what it means, why it happens and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from azext_amlk8s.diagnosis import codes
from azext_amlk8s.diagnosis.arm import Coded, of_text
from azext_amlk8s.diagnosis.codes import Entry
from azext_amlk8s.diagnosis.health import HealthReport, read_report
from azext_amlk8s.diagnosis.helm import read_helm
from azext_amlk8s.diagnosis.pods import Trouble
from azext_amlk8s.rules import Finding, Severity

HEALTH_CODE = re.compile(r"\bE4\d{4}\b", re.I)
WORD = re.compile(r"\b(?:(?=\w*[a-z][A-Z])[A-Z]\w{6,}|[A-Z]{3,}(?:_[A-Z]+)+)\b")
LONGEST = 200_000


@dataclass(frozen=True)
class Explanation:
    """What is known of one failure. Nothing is known where `known` is false; `parts` hold what could be read all the
    same: the message, the parts of Helm's grammar, the check, the pod.
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
    parts: Mapping[str, Any] = field(default_factory=dict)


def explain(text: str, scope: str = "") -> tuple[Explanation, ...]:
    """What a code or a text tells of, the cause before its wrappers; at least one, which may be unknown.

    A code alone that means two things gives both. Never raises, whatever the text.
    """
    text = text[:LONGEST].strip()
    if alone := codes.by_code(text, scope=scope):
        return tuple(of_entry(entry) for entry in alone)
    found = [*_of_checks(read_report(text)), *_of_coded(of_text(text), text), *_of_patterns(text)]
    told = {one.code for one in found}
    return _ranked(found + [one for one in _of_loose_codes(text) if one.code not in told], text)


def explain_failure(
    coded: Iterable[Coded] = (),
    reports: Iterable[HealthReport] = (),
    troubles: Iterable[Trouble] = (),
    text: str = "",
) -> tuple[Explanation, ...]:
    """The same for what was gathered after a failure: ARM's messages, health reports, troubles in the cluster."""
    coded = tuple(coded)
    found = [one for report in reports for one in _of_checks(report)]
    found += [one for trouble in troubles for one in _of_trouble(trouble)]
    said = "\n".join([one.message for one in coded] + [text])
    for one in coded:
        found += _of_coded((one,), one.message) + _of_patterns(one.message)
    found += _of_patterns(text) if text else []
    return _ranked(found, said)


def as_finding(one: Explanation) -> Finding:
    """An explanation as what all rules pay in."""
    subject = str(one.parts.get("subject") or one.scope or "message")
    title = f"{one.code} {one.name}".strip() or "Unknown"
    message = f"{one.meaning} {one.cause}".strip() or "Nothing is known of this failure."
    found = str(one.parts.get("message") or one.parts.get("text") or "")
    return Finding(title, Severity.ERROR, subject, message, found=found, fix="\n".join(one.fix), source=one.source)


def of_entry(entry: Entry, parts: Mapping[str, Any] | None = None) -> Explanation:
    """An entry of the knowledge base as the explanation of something, with what was read of it."""
    return Explanation(
        entry.code,
        entry.scope,
        True,
        entry.name,
        entry.meaning,
        entry.cause,
        entry.fix,
        entry.source,
        entry.wrapper,
        {key: value for key, value in (parts or {}).items() if value},
    )


def _of_checks(report: HealthReport) -> list[Explanation]:
    found = []
    for check in report.failed:
        parts = {
            "subject": f"health check {check.name}",
            "hook": report.hook,
            "check": check.name,
            "message": check.message,
            "correlationId": report.correlation_id,
        }
        known = codes.by_code(check.code, scope="health") if check.code else ()
        known = known or tuple(entry for entry, _ in codes.by_text(check.message))
        found += [of_entry(one, parts) for one in known] or [_unknown(check.code, parts)]
    return found


def _of_coded(coded: Iterable[Coded], around: str) -> list[Explanation]:
    found = []
    for one in coded:
        parts = {"message": one.message, "target": one.target, **_helm_parts(one.message)}
        known = codes.by_code(one.code, one.message or around) if one.code else ()
        found += [of_entry(entry, parts) for entry in known] or ([_unknown(one.code, parts)] if one.code else [])
    return found


def _of_patterns(text: str) -> list[Explanation]:
    return [of_entry(entry, {"message": line, **_helm_parts(line)}) for entry, line in codes.by_text(text)]


def _of_trouble(trouble: Trouble) -> list[Explanation]:
    parts = {
        "subject": f"{trouble.kind} {trouble.name}".strip(),
        "node": trouble.node,
        "container": trouble.container,
        "restarts": trouble.restarts,
        "message": trouble.words,
    }
    known = tuple(entry for entry, _ in codes.by_text(trouble.message)) or codes.by_code(trouble.reason)
    return [of_entry(one, parts) for one in known] or [_unknown(trouble.reason, parts)]


def _helm_parts(text: str) -> dict[str, Any]:
    helm = read_helm(text)
    return {"helm": {key: value for key, value in asdict(helm).items() if value}} if helm else {}


def _of_loose_codes(text: str) -> list[Explanation]:
    """Codes that stand anywhere in a text, as in the line of a log."""
    found = []
    for match in (*HEALTH_CODE.finditer(text), *WORD.finditer(text)):
        start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
        line = " ".join(text[start : end if end >= 0 else None].split())[: codes.LONGEST_LINE]
        health = match.re is HEALTH_CODE
        found += [of_entry(one, {"message": line}) for one in codes.by_code(match[0], line) if health or one.fits(line)]
    return found


def _unknown(code: str, parts: Mapping[str, Any]) -> Explanation:
    return Explanation(code, known=False, parts={key: value for key, value in parts.items() if value})


def _ranked(found: list[Explanation], text: str) -> tuple[Explanation, ...]:
    """Causes before wrappers before what is not known; each failure once for each thing that it befalls."""
    kept: dict[tuple[str, str, str, str], Explanation] = {}
    for one in found:
        key = (one.code, one.scope, one.name, str(one.parts.get("subject") or ""))
        there = kept.get(key)
        kept[key] = one if there is None else replace(there, parts={**one.parts, **there.parts})
    told = {key[:3] for key in kept if key[3]}
    order = [one for key, one in kept.items() if key[3] or key[:3] not in told]
    order.sort(key=lambda one: (not one.known, one.wrapper, one.wrapper and one.scope == "arm"))
    message = " ".join(text.split())[: codes.LONGEST_LINE]
    return tuple(order) or (_unknown("", {"message": message, **_helm_parts(text)}),)
