"""What the extension service says when Helm fails, in both generations of its grammar."""

from __future__ import annotations

import re
from dataclasses import dataclass

CLOSING = {"[": "]", "{": "}"}
# 2021 and 2022: Error: {STEP for release [NAME] … err [HELM]} occurred while doing the operation : {Installing …}
OLD_STEP = re.compile(r"\{\s*(?P<step>[^\[\]{}]*?)\s*(?:from path \[[^\]]*\]\s*)?for release \[(?P<release>[^\]]*)\]")
# Since 2023: Error: [ InnerError: [CATEGORY : REASON : Recommendation HINT : InnerError [HELM]]] occurred while …
NEW_HEAD = re.compile(r"InnerError:\s*\[\s*(?P<rest>.*)", re.S)
OPERATION = re.compile(r"occurred while doing the operation\s*:\s*[\[{](?P<operation>[^\]}]*)[\]}]")
RELEASE = re.compile(r"release:?\s+\[?(?P<release>[\w.-]+)\]?\s+failed")
HOOK = re.compile(
    r"(?:failed\s+)?(?P<hook>(?:pre|post)-(?:install|upgrade|rollback|delete))(?:\s+hooks failed)?:\s*"
    r"(?:pod|job)s?\s+(?P<pod>[\w.-]+)\s+failed"
)
LINK = re.compile(r"https?://[^\s,\]})\"']+")
OWNED = re.compile(r'(?P<kind>[A-Z]\w+) "(?P<name>[^"]+)" in namespace "(?P<namespace>[^"]*)" exists and cannot be')


@dataclass(frozen=True)
class HelmFailure:
    """The parts of the text; what it does not have is empty. generation is 2021 or 2023."""

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
    """The failure that a text tells of, None where it is not one of Helm's."""
    head = NEW_HEAD.search(text)
    if head:
        step, reason, hint, inner = _new_parts(head["rest"])
        return _filled(2023, text, inner, step=step, reason=reason, recommendation=hint)
    old = OLD_STEP.search(text)
    if old or re.search(r"\berr \[", text):
        inner = _bracketed(text, re.compile(r"\berr \["))
        return _filled(2021, text, inner, step=old["step"] if old else "", release=old["release"] if old else "")
    if HOOK.search(text) or OWNED.search(text):
        return _filled(2021, text, text)
    return None


def _filled(generation: int, whole: str, inner: str, **parts: str) -> HelmFailure:
    operation, hook = OPERATION.search(whole), HOOK.search(whole)
    release, owned = RELEASE.search(inner or whole), OWNED.search(whole)
    return HelmFailure(
        generation,
        text=" ".join(inner.split()),
        operation=operation["operation"].strip() if operation else "",
        hook=hook["hook"] if hook else "",
        failed=hook["pod"] if hook else "",
        conflict=" ".join(filter(None, (owned["kind"], owned["name"], owned["namespace"]))) if owned else "",
        guides=tuple(dict.fromkeys(one.rstrip(".") for one in LINK.findall(whole))),
        **{**parts, "release": parts.get("release") or (release["release"] if release else "")},
    )


def _new_parts(rest: str) -> tuple[str, str, str, str]:
    """Category, reason, hint and Helm's own text; reason and hint may be empty or left out."""
    marker = re.compile(r"InnerError:?\s*\[")
    inner = _bracketed(rest, marker)
    found = marker.search(rest)
    head = rest[: found.start()] if found else rest.split("]", 1)[0]
    words = [" ".join(one.split()) for one in re.split(r"\s:\s", head + " ")]
    hint = next((one for one in words if one.startswith("Recommendation")), "")
    plain = [one.strip(" :") for one in words if one.strip(" :") and not one.startswith("Recommendation")]
    return (
        plain[0] if plain else "",
        " : ".join(plain[1:]),
        hint.removeprefix("Recommendation").strip(),
        inner if found else head,
    )


def _bracketed(text: str, opening: re.Pattern[str]) -> str:
    """What stands between the last such bracket and its partner; to the end where the text was cut off."""
    start = max((one.end() for one in opening.finditer(text)), default=-1)
    if start < 0:
        return ""
    bracket = text[start - 1]
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == bracket) - (text[at] == CLOSING[bracket])
        if not depth:
            return text[start:at]
    return text[start:]
