"""Azure's clouds: their hosts, and what a cluster must reach in each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from azext_amlk8s.knowledge import load

PUBLIC = "AzureCloud"
SCENARIOS = ("training", "inference")
EVERY_CLOUD = "*"


# A NamedTuple is created in a quarter of the time of a dataclass, and `compute show` needs it.
class Cloud(NamedTuple):
    """A cloud: the hosts of sign-in, Azure Resource Manager, images and studio, and the suffixes of other hosts.

    name is that of the cloud whose data is used. domain is the suffix of public addresses in a region.
    """

    name: str
    login: str
    management: str
    storage: str
    registry: str
    images: str
    studio: str
    domain: str


class Endpoint(NamedTuple):
    """A host that a cluster must reach over HTTPS, or *.SUFFIX, and what for. An optional one may stay closed."""

    host: str
    purpose: str
    source: str
    optional: bool = False

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for several hosts, which cannot be tested."""
        return "*" in self.host


def find_cloud(name: str = PUBLIC, **endpoints: str) -> Cloud:
    """The cloud of this name, with the hosts and suffixes that az knows in place of those of the data.

    A cloud that the data does not name (one that the user registered) is the one with the same storage suffix, or else
    the public cloud.
    """
    clouds: Mapping[str, Mapping[str, str]] = load("clouds")["clouds"]
    if name not in clouds:
        suffix = endpoints.get("storage")
        name = next((known for known, hosts in clouds.items() if hosts["storage"] == suffix), PUBLIC)
    return Cloud(name, **clouds[name])._replace(**{key: value for key, value in endpoints.items() if value})


def outbound_endpoints(
    cloud: Cloud,
    cluster_type: str,
    scenarios: Iterable[str] = SCENARIOS,
    **names: str,
) -> list[Endpoint]:
    """What a cluster must reach; names are region, workspace (its GUID), account and acr, where they are known."""
    wanted, known = set(scenarios), {**cloud._asdict(), **{key: value for key, value in names.items() if value}}
    endpoints = [
        Endpoint(fill_host(host, known), record["purpose"], source, bool(record.get("optional")))
        for record, source in _records(cluster_type, wanted)
        for host in _hosts(record["hosts"], cloud.name)
    ]
    return list({endpoint.host: endpoint for endpoint in reversed(endpoints)}.values())[::-1]


def fill_host(host: str, known: Mapping[str, str]) -> str:
    """A host of the data with its placeholders filled; what is not known becomes *."""
    return ".".join(
        known.get(label[1:-1], "*") if label.startswith("{") and label.endswith("}") else label
        for label in host.split(".")
    )


def _records(cluster_type: str, scenarios: set[str]) -> Iterator[tuple[Mapping[str, Any], str]]:
    content = load("clouds")
    for record in content["endpoints"]:
        of_type = cluster_type.lower() in [cluster.lower() for cluster in record.get("clusters", [cluster_type])]
        if of_type and scenarios & set(record.get("scenarios", SCENARIOS)):
            yield record, content["sources"][record["source"]]


def _hosts(hosts: Mapping[str, list[str]], cloud: str) -> list[str]:
    return [*hosts.get(cloud, ()), *hosts.get(EVERY_CLOUD, ())]
