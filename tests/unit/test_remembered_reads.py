"""What a plan has not found is not looked for again by the apply that follows it; what exists is read again."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from azure.cli.core import get_default_cli
from azure.core.exceptions import HttpResponseError

from azext_amlk8s.azure.fleet_client import FleetClient
from azext_amlk8s.azure.remembering_client import GET
from azext_amlk8s.azure.snapshot_client import SnapshotClient

AZ = get_default_cli()
GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g/providers"
CLUSTER, RELAY = f"{GROUP}/Microsoft.Kubernetes/connectedClusters/c", f"{GROUP}/Microsoft.Relay/namespaces/r"


class Failed(HttpResponseError):
    """A response with an error status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status_code = status


def read(result: Any) -> Any:
    if isinstance(result, Exception):
        raise result
    return result


CASES: dict[str, tuple[Any, tuple[str, ...], bool]] = {
    "resource": ({"name": "c", "properties": {"provisioningState": "Succeeded"}}, GET, False),
    "resource that does not exist": (Failed(404), GET, True),
    "resource that must not be read": (Failed(403), GET, False),
    "list, such as that of extensions": ([], ("list",), False),
}


@pytest.mark.parametrize("name", CASES)
def test_reads_that_are_taken_over(name: str) -> None:
    result, kind, is_kept = CASES[name]
    plan, apply = SnapshotClient(AZ, "s"), FleetClient(AZ, "s")
    with suppress(Failed):
        plan.remember(CLUSTER, lambda: read(result), *kind)
    apply.take_over(plan)
    again: list[str] = []
    with suppress(Failed):
        apply.remember(CLUSTER, lambda: again.append("read") or read(result), *kind)
    assert again == ([] if is_kept else ["read"])


def test_what_was_missing_is_read_after_it_was_created() -> None:
    plan, apply = SnapshotClient(AZ, "s"), FleetClient(AZ, "s")
    with pytest.raises(Failed):
        plan.remember(RELAY, lambda: read(Failed(404)), *GET)
    apply.take_over(plan)
    apply.forget(RELAY)
    assert apply.remember(RELAY, lambda: {"name": "r"}, *GET) == {"name": "r"}


def test_what_the_list_of_a_group_lacks_is_taken_over_as_missing() -> None:
    plan, apply = SnapshotClient(AZ, "s"), FleetClient(AZ, "s")
    plan.remember(f"{GROUP}/Microsoft.Relay/namespaces", lambda: [{"id": RELAY.upper(), "name": "r"}], "list")
    assert plan.find_in_group(RELAY) == {"id": RELAY.upper(), "name": "r"}
    assert plan.find_in_group(f"{RELAY}2") is None
    apply.take_over(plan)
    assert apply.find(f"{RELAY}2") is None


def test_a_list_that_must_not_be_read_is_replaced_by_single_reads() -> None:
    plan = SnapshotClient(AZ, "s")
    with pytest.raises(Failed):
        plan.remember(f"{GROUP}/Microsoft.Relay/namespaces", lambda: read(Failed(403)), "list")
    plan.remember(RELAY, lambda: {"name": "r"}, *GET)
    assert plan.find_in_group(RELAY) == {"name": "r"}


def test_forgetting_a_list_keeps_what_was_read_of_its_resources() -> None:
    client = FleetClient(AZ, "s")
    collection = RELAY.rpartition("/")[0]
    client.remember(collection, lambda: [], "list")
    client.remember(RELAY, lambda: {"name": "r"}, *GET)
    client.forget_list(collection)
    assert client.remember(collection, lambda: [{"name": "new"}], "list") == [{"name": "new"}]
    assert client.remember(RELAY, lambda: {"name": "other"}, *GET) == {"name": "r"}
