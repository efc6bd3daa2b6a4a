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
