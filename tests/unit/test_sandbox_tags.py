"""Tags of the sandbox's resources, as ARM's own operations change them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.in_process import AKS, ARC, GROUP, InProcess, sandbox

TAGS = "providers/Microsoft.Resources/tags/default"
GROUP_ID = GROUP.removesuffix("/providers")
WORLD = {
    "denied": [{"action": "Microsoft.Resources/tags/write", "group": "locked-rg"}],
    "groups": [{"name": "ml-rg"}, {"name": "locked-rg", "tags": {"a": "b"}}],
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: Any) -> Iterator[InProcess]:
    with sandbox(tmp_path_factory.mktemp("tags"), **WORLD) as started:
        yield started


def sent(tags: Any, operation: str = "") -> dict[str, Any]:
    return {**({"operation": operation} if operation else {}), "properties": {"tags": tags}}


@pytest.mark.parametrize("scope", [AKS, ARC, GROUP_ID, GROUP_ID.split("/resourceGroups")[0]])
def test_tags_are_set_merged_and_deleted(running: InProcess, scope: str) -> None:
    path = f"{scope}/{TAGS}"
    assert running.arm("PUT", path, sent({"Ring": "a", "x": "1"})).body["properties"]["tags"] == {"Ring": "a", "x": "1"}
    assert running.arm("PATCH", path, sent({"ring": "b", "y": "2"}, "Merge")).status == 200
    found = running.arm("GET", path).body
    assert found["properties"]["tags"] == {"Ring": "b", "x": "1", "y": "2"}
    assert (found["name"], found["type"]) == ("default", "Microsoft.Resources/tags")
    deleted = running.arm("PATCH", path, sent({"x": "", "y": "other", "ring": "b"}, "Delete"))
    assert deleted.body["properties"]["tags"] == {"y": "2"}
    assert running.arm("DELETE", path).status == 200
    assert running.arm("GET", path).body["properties"]["tags"] == {}


def test_a_patch_of_a_resource_replaces_its_tags_alone(running: InProcess) -> None:
    before = running.arm("GET", AKS).body
    patched = running.arm("PATCH", AKS, {"tags": {"a": "b"}})
    assert (patched.status, patched.body) == (200, {**before, "tags": {"a": "b"}})
    assert running.arm("PATCH", AKS, {"properties": {}}).status == 405
    assert running.arm("PATCH", AKS, {"tags": {}}).body["tags"] == {}


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({f"t{number}": "" for number in range(51)}, "InvalidTagCount"),
        ({"a<b": ""}, "InvalidTagNameCharacters"),
        ({"n" * 513: ""}, "InvalidTagName"),
        ({"n": "v" * 257}, "InvalidTagValue"),
    ],
)
def test_invalid_tags_are_rejected(running: InProcess, tags: dict[str, str], code: str) -> None:
    reply = running.arm("PUT", f"{AKS}/{TAGS}", sent(tags))
    assert (reply.status, reply.body["error"]["code"]) == (400, code)


def test_tags_of_what_does_not_exist_or_is_denied(running: InProcess) -> None:
    assert running.arm("GET", f"{AKS}x/{TAGS}").status == 404
    assert running.arm("PUT", f"{AKS}x/{TAGS}", sent({})).status == 404
    assert running.arm("PATCH", f"{AKS}/{TAGS}", sent({}, "Rename")).status == 400
    denied = running.arm("PUT", f"{GROUP_ID.replace('ml-rg', 'locked-rg')}/{TAGS}", sent({}))
    assert (denied.status, denied.body["error"]["code"]) == (403, "AuthorizationFailed")


def test_tags_are_no_resource_of_their_own(running: InProcess) -> None:
    subscription = GROUP_ID.split("/resourceGroups")[0]
    assert running.arm("PUT", f"{subscription}/{TAGS}", sent({"a": "b"})).status == 200
    listed = running.arm("GET", f"{subscription}/resources").body["value"]
    assert {item["type"].split("/")[0].lower() for item in listed} >= {"microsoft.containerservice"}
    assert not [item for item in listed if "tags" in item["type"].lower() or "roleassignments" in item["type"].lower()]
