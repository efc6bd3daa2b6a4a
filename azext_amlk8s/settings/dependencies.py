"""The Azure resources that the extension lives on: Relay, Log Analytics, Service Bus; each is billed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.settings.facts import ClusterFacts
from azext_amlk8s.settings.model import Settings

TAGS = {"created_by": "Azure Arc-enabled ML"}
HASH_DIGITS = 6
ROOT_WORDS = 9  # of /subscriptions/s/resourceGroups/g/providers/NS/type/name
UNKNOWN = "(known when it has been created)"


@dataclass(frozen=True)
class Dependency:
    """A resource that the extension needs, and what stands in it.

    parts are ids with the bodies that create them, in order; keys_id is what is POSTed to for the secret, key the field
    of its answer; config and protected say which settings are made of it.
    """

    kind: str
    label: str
    id: str
    body: Mapping[str, Any]
    parts: tuple[tuple[str, Mapping[str, Any]], ...]
    keys_id: str
    key: str
    config: Mapping[str, str]
    protected: tuple[str, ...]
    costs: str

    @property
    def name(self) -> str:
        """The resource's own name."""
        return self.id.rsplit("/", 1)[-1]

    def settings(self, resource: Mapping[str, Any] | None, secret: str) -> Settings:
        """The settings that are made of the resource as ARM describes it; None for one that is not there yet."""
        properties = (resource or {}).get("properties") or {}
        config = {
            key: re.sub(r"{properties\.(\w+)}", lambda found: str(properties.get(found[1], UNKNOWN)), value)
            for key, value in self.config.items()
        }
        return Settings(config, dict.fromkeys(self.protected, secret))


def needed(settings: Settings, facts: ClusterFacts) -> tuple[Dependency, ...]:
    """What these settings need on this cluster (field guide cluster-extension 2.1, step 11).

    A relay for every cluster that is not AKS, unless it is switched off or one's own is given; the others when asked
    for.
    """
    defaults = {"relay": not facts.is_aks}
    found = []
    for kind, told in knowledge.load("dependencies").items():
        switched = settings.get(told["switch"])
        wanted = switched == "True" if switched else defaults.get(kind, False)
        if wanted and not settings.get(told["given"]):
            found.append(dependency(kind, facts))
    return tuple(found)


def switch_of(kind: str) -> str:
    """The setting that asks for a resource of a kind."""
    return str(knowledge.load("dependencies")[kind]["switch"])


def every(facts: ClusterFacts) -> tuple[Dependency, ...]:
    """All that can have been made for a cluster."""
    return tuple(dependency(kind, facts) for kind in knowledge.load("dependencies"))


def dependency(kind: str, facts: ClusterFacts, pointer: str = "") -> Dependency:
    """The resource of a kind for a cluster; pointer is the id by which deployed settings name one that is there."""
    told = knowledge.load("dependencies")[kind]
    words = facts.resource_id.split("/")
    subscription, group = words[2], words[4]
    name = name_for(f"{facts.name}-{subscription}-{group}{told['suffix']}", told["longest"])
    root = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{told['type']}/{name}"
    if pointer:
        root = "/".join(pointer.split("/")[:ROOT_WORDS])

    def fill(text: str) -> str:
        return text.replace("{id}", root).replace("{cluster}", facts.name)

    pointer = pointer or fill(told["config"].get(told.get("pointer", ""), ""))
    return Dependency(
        kind,
        told["label"],
        root,
        {**told["body"], "location": facts.location, "tags": TAGS},
        tuple((f"{root}/{fill(part['path'])}", part["body"]) for part in told["parts"]),
        fill(told["keys"].replace("{pointer}", pointer)),
        told["key"],
        {key: fill(value) for key, value in told["config"].items()},
        tuple(told["protected"]),
        told["costs"],
    )


def name_for(words: str, longest: int) -> str:
    """The same name for the same cluster at every time, and the one that `az k8s-extension` gives.

    Letters and digits only; what is too long is cut and ends in a hash of the whole (field guide cluster-extension 2.1,
    step 11). Azure wants a letter at the front.
    """
    name = "".join(letter for letter in words if letter.isascii() and letter.isalnum())
    if name[:1].isdigit():
        name = f"k{name}"
    if len(name) <= longest:
        return name
    digest = hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()[:HASH_DIGITS]
    return name[: longest - HASH_DIGITS] + digest


def restorable(lost: Iterable[str], config: Mapping[str, str], facts: ClusterFacts) -> tuple[Dependency, ...]:
    """The resources that protected settings are made of, so that they can be read again; config is what is deployed."""
    names = set(lost)
    found = []
    for kind, told in knowledge.load("dependencies").items():
        if names & set(told["protected"]):
            pointer = config.get(told.get("pointer", ""), "")
            found.append(dependency(kind, facts, pointer if pointer.startswith("/subscriptions/") else ""))
    return tuple(found)


def is_the_one(one: Dependency, resource: Mapping[str, Any], config: Mapping[str, str]) -> bool:
    """Whether a resource is the one that deployed settings mean, where they name it by a property of its own."""
    match = knowledge.load("dependencies")[one.kind].get("match")
    if not match or not config.get(match["setting"]):
        return True
    return (resource.get("properties") or {}).get(match["property"]) == config[match["setting"]]


def merged(settings: Settings, more: Settings) -> Settings:
    """Settings with more beneath them: what is in both keeps its value, in whichever bag it is."""
    given = {*settings.config, *settings.protected}
    return Settings(
        {**{key: value for key, value in more.config.items() if key not in given}, **settings.config},
        {**{key: value for key, value in more.protected.items() if key not in given}, **settings.protected},
    )
