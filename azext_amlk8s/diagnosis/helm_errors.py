"""The text of the extension service when Helm fails, in both generations of its grammar.

Every expression here takes linear time: repetitions are bounded, or begin only where no other repetition can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CLOSING = {"[": "]", "{": "}"}
MAX_TEXT = 64_000
MAX_STEP = 300
# 2021 and 2022: Error: {STEP for release [NAME] … err [HELM]} occurred while doing the operation : {Installing …}
OLD_RELEASE = re.compile(r"for release \[(?P<release>[^\]\[]{0,253})\]")
OLD_PATH = re.compile(r"\s{0,9}from path \[[^\]]*\]\s*$")
OLD_INNER = re.compile(r"\berr \[")
# Since 2023: Error: [ InnerError: [CATEGORY : REASON : Recommendation HINT : InnerError [HELM]]] occurred while …
NEW_HEAD = re.compile(r"InnerError:\s{0,9}\[")
NEW_INNER = re.compile(r"InnerError:?\s{0,9}\[")
OPERATION = re.compile(r"occurred while doing the operation\s{0,9}:\s{0,9}[\[{](?P<operation>[^\]}]{0,200})[\]}]")
RELEASE = re.compile(r"release:?\s{1,9}\[?(?P<release>[\w.-]{1,253})\]?\s{1,9}failed")
HOOK = re.compile(
    r"(?P<hook>(?:pre|post)-(?:install|upgrade|rollback|delete))(?:\s{1,9}hooks failed)?:\s{0,9}"
    r"(?:pod|job)s?\s{1,9}(?P<pod>[\w.-]{1,253})\s{1,9}failed"
)
LINK = re.compile(r"https?://[^\s,\]})\"']{1,2000}")
OWNED = re.compile(
    r'(?<!\w)(?P<kind>[A-Z]\w{0,100}) "(?P<name>[^"]{1,253})" in namespace "(?P<namespace>[^"]{0,253})" '
    r"exists and cannot be"
)


@dataclass(frozen=True)
class HelmFailure:
    """The parts of the text; a part that it does not have is empty. generation is 2021 or 2023."""

    generation: int
    step: str = ""
    reason: str = ""
    recommendation: str = ""
    release: str = ""
    text: str = ""
    operation: str = ""
    hook: str = ""
    failed: str = ""
    conflict: str = ""
    guides: tuple[str, ...] = ()


def read_helm(text: str) -> HelmFailure | None:
    """The failure that a text reports, None where it is not one of Helm. Reads at most MAX_TEXT characters."""
    text = text[:MAX_TEXT]
    if head := NEW_HEAD.search(text):
        step, reason, hint, inner = _new_parts(text[head.end() :].lstrip())
        return _failure(2023, text, inner, step=step, reason=reason, recommendation=hint)
    step, release = _old_step(text)
    if release or OLD_INNER.search(text):
        return _failure(2021, text, _bracketed(text, OLD_INNER), step=step, release=release)
    if HOOK.search(text) or OWNED.search(text):
        return _failure(2021, text, text)
    return None


def _failure(generation: int, whole: str, inner: str, **parts: str) -> HelmFailure:
    operation, hook = OPERATION.search(whole), HOOK.search(whole)
    release, owned = RELEASE.search(inner or whole), OWNED.search(whole)
    return HelmFailure(
        generation,
        text=" ".join(inner.split()),
        operation=operation["operation"].strip() if operation else "",
        hook=hook["hook"] if hook else "",
        failed=hook["pod"] if hook else "",
        conflict=" ".join(filter(None, (owned["kind"], owned["name"], owned["namespace"]))) if owned else "",
        guides=tuple(dict.fromkeys(link.rstrip(".") for link in LINK.findall(whole))),
        **{**parts, "release": parts.get("release") or (release["release"] if release else "")},
    )


def _old_step(text: str) -> tuple[str, str]:
    """The step that failed and the release, in the grammar of 2021; both empty where the text has neither."""
    match = OLD_RELEASE.search(text)
    if not match:
        return "", ""
    before = OLD_PATH.sub("", text[max(0, match.start() - MAX_STEP) : match.start()])
    _, opened, step = before.rpartition("{")
    return (" ".join(step.split()), match["release"]) if opened and "}" not in step else ("", "")


def _new_parts(rest: str) -> tuple[str, str, str, str]:
    """Category, reason, hint and Helm's own text; reason and hint may be empty or missing."""
    match = NEW_INNER.search(rest)
    head = rest[: match.start()] if match else rest.split("]", 1)[0]
    phrases = [" ".join(phrase.split()) for phrase in re.split(r"\s:\s", head + " ")]
    hint = next((phrase for phrase in phrases if phrase.startswith("Recommendation")), "")
    plain = [phrase.strip(" :") for phrase in phrases if phrase.strip(" :") and not phrase.startswith("Recommendation")]
    return (
        plain[0] if plain else "",
        " : ".join(plain[1:]),
        hint.removeprefix("Recommendation").strip(),
        _bracketed(rest, NEW_INNER) if match else head,
    )


def _bracketed(text: str, opening: re.Pattern[str]) -> str:
    """What the last such bracket encloses; everything behind it where the text was cut off."""
    start = max((match.end() for match in opening.finditer(text)), default=-1)
    if start < 0:
        return ""
    bracket = text[start - 1]
    depth = 1
    for match in re.finditer(rf"[\{bracket}\{CLOSING[bracket]}]", text[start:]):
        depth += 1 if match[0] == bracket else -1
        if not depth:
            return text[start : start + match.start()]
    return text[start:]
