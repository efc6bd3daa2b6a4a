"""The Azure resources behind the extension: Relay, Log Analytics, Service Bus. Each is billed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.settings.facts import ClusterFacts, Resource
from azext_amlk8s.settings.model import Settings

TAGS = {"created_by": "Azure Arc-enabled ML"}
HASH_DIGITS = 6
ROOT_SEGMENTS = 9  # of /subscriptions/s/resourceGroups/g/providers/NS/type/name
UNKNOWN = "(known when it has been created)"
Declarations = Mapping[str, Mapping[str, Any]]  # knowledge/dependencies.json: kinds and what each is


@dataclass(frozen=True)
class Dependency:
    """A resource that the extension needs, with its parts.

    parts are ids with the bodies that create them, in order; keys_id is POSTed to for the secret, key is the field of
    the response; config and protected are the settings that are made of it.
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

    def settings(self, resource: Resource | None, secret: str) -> Settings:
        """The settings that are made of the resource as ARM describes it; None for one that does not exist yet."""
        properties = (resource or {}).get("properties") or {}
        config = {
            key: re.sub(r"{properties\.(\w+)}", lambda match: str(properties.get(match[1], UNKNOWN)), value)
            for key, value in self.config.items()
        }
        return Settings(config, dict.fromkeys(self.protected, secret))


def needed_resources(settings: Settings, facts: ClusterFacts) -> tuple[Dependency, ...]:
    """The resources that these settings need on this cluster.

    A relay for every Arc-connected cluster, unless it is switched off or a custom one is given; the others where their
    setting is True and no custom one is given.
    """
    resources = []
    for kind, declared in _declarations().items():
        switch = settings.get(declared["switch"])
        enabled = switch == "True" if switch else kind == "relay" and not facts.is_aks
        if enabled and not settings.get(declared["given"]):
            resources.append(resource_for_cluster(kind, facts))
    return tuple(resources)


def all_resources(facts: ClusterFacts) -> tuple[Dependency, ...]:
    """Every resource that may have been created for a cluster."""
    return tuple(resource_for_cluster(kind, facts) for kind in _declarations())


def restorable_resources(lost: Iterable[str], config: Mapping[str, str], facts: ClusterFacts) -> tuple[Dependency, ...]:
    """The resources of which these protected settings are made and can be read again; config is what is deployed."""
    names = set(lost)
    resources = []
    for kind, declared in _declarations().items():
        if names & set(declared["protected"]):
            pointer = config.get(declared.get("pointer", ""), "")
            is_id = pointer.lower().startswith("/subscriptions/")
            resources.append(resource_for_cluster(kind, facts, pointer if is_id else ""))
    return tuple(resources)


def switch_key(kind: str) -> str:
    """The setting that switches a kind of resource on."""
    return str(_declarations()[kind]["switch"])


def is_deployed_resource(dependency: Dependency, resource: Resource, config: Mapping[str, str]) -> bool:
    """Whether a resource is the one that deployed settings name by one of its properties, where they name one."""
    match = _declarations()[dependency.kind].get("match")
    if not match or not config.get(match["setting"]):
        return True
    return (resource.get("properties") or {}).get(match["property"]) == config[match["setting"]]


def resource_for_cluster(kind: str, facts: ClusterFacts, pointer: str = "") -> Dependency:
    """The resource of a kind for a cluster; pointer is the id by which deployed settings name an existing one."""
    declared = _declarations()[kind]
    segments = facts.resource_id.split("/")
    subscription, group = segments[2], segments[4]
    name = resource_name(f"{facts.name}-{subscription}-{group}{declared['suffix']}", declared["longest"])
    root = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{declared['type']}/{name}"
    if pointer:
        root = "/".join(pointer.split("/")[:ROOT_SEGMENTS])

    def fill(text: str) -> str:
        return text.replace("{id}", root).replace("{cluster}", facts.name)

    pointer = pointer or fill(declared["config"].get(declared.get("pointer", ""), ""))
    return Dependency(
        kind,
        declared["label"],
        root,
        {**declared["body"], "location": facts.location, "tags": TAGS},
        tuple((f"{root}/{fill(part['path'])}", part["body"]) for part in declared["parts"]),
        fill(declared["keys"].replace("{pointer}", pointer)),
        declared["key"],
        {key: fill(value) for key, value in declared["config"].items()},
        tuple(declared["protected"]),
        declared["costs"],
    )


def resource_name(text: str, longest: int) -> str:
    """The same name for the same cluster every time, and the one that az k8s-extension gives.

    Letters and digits only, a letter first; a longer text is cut and ends in a hash of the whole.
    https://github.com/Azure/azure-cli-extensions/blob/main/src/k8s-extension/azext_k8s_extension/partner_extensions/AzureMLKubernetes.py
    """
    name = "".join(letter for letter in text if letter.isascii() and letter.isalnum())
    if name[:1].isdigit():
        name = f"k{name}"
    if len(name) <= longest:
        return name
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:HASH_DIGITS]
    return name[: longest - HASH_DIGITS] + digest


def merge_settings(settings: Settings, defaults: Settings) -> Settings:
    """Settings with defaults below them: what is in both keeps its value, in whichever section it is."""
    given = {*settings.config, *settings.protected}
    return Settings(
        {**{key: value for key, value in defaults.config.items() if key not in given}, **settings.config},
        {**{key: value for key, value in defaults.protected.items() if key not in given}, **settings.protected},
    )


def _declarations() -> Declarations:
    declarations: Declarations = knowledge.load("dependencies")
    return declarations
