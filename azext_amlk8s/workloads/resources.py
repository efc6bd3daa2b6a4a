"""The resources section of a deployment (field guide compute 4): typed the other way round than an instance type.

Every value is a string there, the GPU too; both requests must be given; a GPU stands in limits alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from azext_amlk8s.instance_types.model import GPU, InstanceType
from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Finding
from azext_amlk8s.scheduling.quantities import amount
from azext_amlk8s.workloads.catalogue import W114, W115, W116, W117, W118, W119, W127, W128
from azext_amlk8s.workloads.model import Ask, said, snippet

PARTS = ("requests", "limits")


def judge_resources(ask: Ask, of_type: InstanceType | None) -> Iterator[Finding]:
    """All that is to be said of the section, alone and against the limits of the instance type."""
    if ask.resources is None:
        return
    parts = {part: told if isinstance(told := ask.resources.get(part), Mapping) else {} for part in PARTS}
    right = _corrected(parts)
    yield from _values(ask, parts, right)
    yield from _required(ask, parts, right)
    yield from _gpu(ask, parts, right)
    for key, low in parts["requests"].items():
        if _above(low, parts["limits"].get(key)):
            message = f"the request of {key}, {low}, is above its limit, {parts['limits'][key]}."
            yield said(
                W117,
                ask.at("resources", "requests", key),
                message,
                fix=snippet({"resources": {"limits": {key: str(low)}}}),
            )
    if of_type:
        yield from _against_type(ask, parts, of_type)


def _values(ask: Ask, parts: Mapping[str, Mapping[str, Any]], right: str) -> Iterator[Finding]:
    for part, told in parts.items():
        for key, value in told.items():
            if value is None:
                continue
            if not isinstance(value, str):
                message = f"resources.{part}.{key}: {value} must be a string in a deployment" + (
                    " (in an instance type it is a number)." if key == GPU else "."
                )
                yield said(
                    W114, ask.at("resources", part, key), message, required=f'"{value}"', found=str(value), fix=right
                )
            number = amount(str(value))
            if number is None or number < 0 or (number == 0 and key != GPU):
                message = f"resources.{part}.{key}: {value} is not a quantity above zero that Kubernetes takes."
                yield said(W115, ask.at("resources", part, key), message, found=str(value), fix=right)
            elif key == GPU and number != int(number):
                message = f"resources.{part}.{key}: {value} must be a whole number."
                yield said(W115, ask.at("resources", part, key), message, found=str(value), fix=right)
            if key == "gpu":
                message = f"resources.{part}.gpu is written {GPU}."
                yield said(
                    W115,
                    ask.at("resources", part, key),
                    message,
                    fix=snippet({"resources": {"limits": {GPU: str(value)}}}),
                )


def _required(ask: Ask, parts: Mapping[str, Mapping[str, Any]], right: str) -> Iterator[Finding]:
    for key in ("cpu", "memory"):
        if parts["requests"].get(key) is None:
            message = f"resources lacks requests.{key}; where the section is there, both requests are required."
            yield said(W116, ask.at("resources"), message, fix=right)
    memory, least = amount(str(parts["requests"].get("memory"))), load("workloads")["smallestMemory"]
    if memory is not None and 0 < memory < (amount(least) or 0):
        told = parts["requests"]["memory"]
        yield said(
            W115,
            ask.at("resources", "requests", "memory"),
            f"resources.requests.memory: {told} is below {least}.",
            fix=right,
        )


def _gpu(ask: Ask, parts: Mapping[str, Mapping[str, Any]], right: str) -> Iterator[Finding]:
    wanted, limit = parts["requests"].get(GPU), parts["limits"].get(GPU)
    if wanted is None:
        return
    if limit is None or amount(str(limit)) != amount(str(wanted)):
        yield said(
            W118,
            ask.at("resources", "requests", GPU),
            f"{GPU} belongs into limits alone, and the request differs.",
            fix=right,
        )
    else:
        yield said(
            W128,
            ask.at("resources", "requests", GPU),
            f"{GPU} belongs into limits alone; the request can go.",
            fix=right,
        )


def _against_type(ask: Ask, parts: Mapping[str, Mapping[str, Any]], of_type: InstanceType) -> Iterator[Finding]:
    for part, told in parts.items():
        for key, value in told.items():
            most = of_type.limits.get(key)
            number = amount(str(value))
            if number is None or (most is None and (key != GPU or not number)):
                continue
            bound = amount(str(most)) if most is not None else None
            if most is None or (bound is not None and number > bound):
                what = f"the limit of {most}" if most is not None else "a type without any"
                message = f"resources.{part}.{key}: {value} is above {what} that the instance type {of_type.name} has."
                if most is None:
                    message = f"resources.{part}.{key}: {value}, and the instance type {of_type.name} has no {key}."
                fix = snippet({"resources": {part: {key: str(most)}}}) if most is not None else ""
                yield said(
                    W119,
                    ask.at("resources", part, key),
                    message,
                    required=f"at most {most or 0}",
                    found=str(value),
                    fix=fix,
                )
            elif part == "limits" and number == bound:
                message = (
                    f"resources.limits.{key}: {value} equals the limit of the instance type {of_type.name}; whether "
                    "Azure takes that is not documented, it asks for less."
                )
                yield said(W127, ask.at("resources", part, key), message)


def _above(low: Any, high: Any) -> bool:
    first, second = amount(str(low)), amount(str(high))
    return low is not None and high is not None and first is not None and second is not None and first > second


def _corrected(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """The section as it should be, as far as that can be known."""
    requests, limits = (
        {key: _word(value) for key, value in told.items() if value is not None} for told in parts.values()
    )
    for told in (requests, limits):
        if "gpu" in told:
            told[GPU] = told.pop("gpu")
    wanted = requests.pop(GPU, None)
    if wanted is not None:
        limits.setdefault(GPU, wanted)
    requests = {"cpu": limits.get("cpu", "0.1"), "memory": limits.get("memory", "500Mi"), **requests}
    return snippet({"resources": {"requests": requests, **({"limits": limits} if limits else {})}})


def _word(value: Any) -> str:
    """A quantity as a string; 4GB and 4gb are taken to mean 4G."""
    text = str(value)
    if amount(text) is None:
        bare = text.strip().upper().removesuffix("B").replace("I", "i")
        return bare if amount(bare) is not None else text
    return text
