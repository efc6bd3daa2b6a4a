"""Lists of the sandbox's ARM: filters, pages, and the clusters of a fleet in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.azure.errors import ArmError
from sandbox.azure.filters import parse_filter
from sandbox.azure.paging import page
from sandbox.azure.tree import Tree
from sandbox.kubernetes.json_copy import copied
from tests.contract.in_process import InProcess, sandbox

SUBSCRIPTION = "/subscriptions/33333333-dddd-4eee-8fff-444444444444"
RESOURCE = {
    "id": "/subscriptions/s/resourceGroups/Retail/providers/Microsoft.Kubernetes/connectedClusters/store-1",
    "name": "store-1",
    "type": "microsoft.kubernetes/connectedclusters",
    "location": "westeurope",
    "tags": {"Ring": "Canary", "owner": "it's us"},
}
FLEET = {
    "name": "store-{number:04}",
    "count": 1000,
    "group": "ml-rg",
    "type": "connectedClusters",
    "tags": {"ring": "broad", "store": "{number}"},
    "pools": [{"name": "node", "count": 2}],
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("resourceType eq 'Microsoft.Kubernetes/connectedClusters'", True),
        ("resourceGroup eq 'retail' and name eq 'STORE-1' and location eq 'westeurope'", True),
        ("name ne 'store-1'", False),
        ("name eq 'a' or substringof('ore', name) and resourceType eq 'microsoft.kubernetes/connectedclusters'", True),
        ("(name eq 'a' or name eq 'store-1') and location eq 'eastus'", False),
        ("tagName eq 'ring'", True),
        ("tagname eq 'ring' and tagvalue eq 'Canary'", True),
        ("tagName eq 'ring' and tagValue eq 'canary'", False),
        ("tagName eq 'owner' and tagValue eq 'Canary'", False),
        ("tagName eq 'owner' and tagValue eq 'it''s us'", True),
        ("startswith(tagName, 'ri')", True),
        ("startswith(tagName, 'x')", False),
    ],
)
def test_a_filter_selects_resources(text: str, expected: bool) -> None:
    assert parse_filter(text).matches(RESOURCE) is expected


@pytest.mark.parametrize(
    "text",
    ["name", "name eq", "name like 'a'", "color eq 'red'", "name eq 'a' name eq 'b'", "name eq store", "(name eq 'a'"]
    + ["tagName eq 'a' and resourceType eq 'b/c'", "!"],
)
def test_an_invalid_filter_is_rejected(text: str) -> None:
    with pytest.raises(ArmError) as error:
        parse_filter(text)
    assert (error.value.status, error.value.body["error"]["code"]) == (400, "InvalidFilterInQueryString")


def test_pages_are_linked_and_the_last_has_no_link() -> None:
    first = page("https://host/list", {"api-version": "1", "$filter": "name ne 'x'"}, [1, 2, 3], 2)
    assert first["value"] == [1, 2]
    assert first["nextLink"].startswith("https://host/list?api-version=1&%24filter=name+ne+%27x%27&%24skiptoken=")
    token = first["nextLink"].rsplit("=", 1)[1]
    assert page("https://host/list", {"$skipToken": token}, [1, 2, 3], 2) == {"value": [3]}
    assert page("https://host/list", {"$top": "1"}, [1, 2], 2)["value"] == [1]
    for query in ({"$skiptoken": "?"}, {"$top": "0"}, {"$top": "x"}):
        with pytest.raises(ArmError):
            page("https://host/list", query, [1], 2)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: Any) -> Iterator[InProcess]:
    with sandbox(tmp_path_factory.mktemp("fleet"), fleets=[FLEET]) as running:
        yield running


def pages(running: InProcess, path: str, **query: str) -> list[list[dict[str, Any]]]:
    """The entries of a list, page by page."""
    reply, found = running.arm("GET", path, **query), []
    while True:
        found.append(reply.body["value"])
        if not reply.body.get("nextLink"):
            return found
        reply = running.arm("GET", reply.body["nextLink"])


def test_the_clusters_of_a_fleet_are_listed_in_pages(fleet: InProcess) -> None:
    found = pages(fleet, f"{SUBSCRIPTION}/providers/Microsoft.Kubernetes/connectedClusters")
    names = [item["name"] for part in found for item in part if item["name"].startswith("store-")]
    assert len(names) == len(set(names)) == 1000
    assert {len(part) for part in found[:-1]} == {100}


def test_resources_are_filtered_by_type_and_tag(fleet: InProcess) -> None:
    resources = f"{SUBSCRIPTION}/resources"
    kind = "resourceType eq 'Microsoft.Kubernetes/connectedClusters'"
    found = [item for part in pages(fleet, resources, **{"$filter": kind}) for item in part]
    assert len(found) > 1000
    assert {item["type"].lower() for item in found} == {"microsoft.kubernetes/connectedclusters"}
    assert next(item for item in found if item["name"] == "store-0007")["tags"] == {"ring": "broad", "store": "7"}
    tagged = fleet.arm("GET", resources, **{"$filter": "tagName eq 'store' and tagValue eq '7'"}).body["value"]
    assert [(item["name"], "tags" in item) for item in tagged] == [("store-0007", False)]
    assert fleet.arm("GET", f"{resources}x").status == 404


def test_the_api_of_a_cluster_starts_when_it_is_used(fleet: InProcess) -> None:
    nodes = fleet.kube("GET", "/api/v1/nodes", cluster="store-0500").body["items"]
    assert [node["metadata"]["name"] for node in nodes] == ["store-0500-node-0", "store-0500-node-1"]
    cluster = f"{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.Kubernetes/connectedClusters/store-0600"
    assert fleet.install(cluster)["status"] == "Succeeded"
    assert fleet.pods("store-0600")


def test_a_tree_lists_collections_as_they_change() -> None:
    tree, collection = Tree(), "/subscriptions/s/resourceGroups/g/providers/a.b/c"
    for name in ("One", "two"):
        tree.put({"id": f"{collection}/{name}", "name": name, "type": "a.b/c"})
    tree.put({"id": f"{collection}/two/d/inner", "name": "inner", "type": "a.b/c/d"})
    assert [child["name"] for child in tree.children(collection.upper(), "a.b/c")] == ["One", "two"]
    assert [child["name"] for child in tree.children(f"{collection}/TWO/d", "a.b/c/d")] == ["inner"]
    before = tree.resources()
    tree.remove(f"{collection}/two")
    assert [child["name"] for child in tree.children(collection, "a.b/c")] == ["One"]
    assert tree.children(f"{collection}/two/d", "a.b/c/d") == []
    tree.restore(before)
    assert [child["name"] for child in tree.children(collection, "a.b/c")] == ["One", "two"]


def test_copies_share_nothing() -> None:
    original = {"a": [{"b": 1}, [2]], "c": None}
    copy = copied(original)
    copy["a"][0]["b"] = copy["a"][1] = 3  # type: ignore[index]
    assert original == {"a": [{"b": 1}, [2]], "c": None}
