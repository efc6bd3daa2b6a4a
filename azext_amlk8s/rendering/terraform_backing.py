"""The Azure resources beneath the extension as resources of azurerm, and the settings that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azext_amlk8s import knowledge
from azext_amlk8s.rendering.backing_resources import COMMENTS
from azext_amlk8s.rendering.hcl import Attribute, Block, Raw
from azext_amlk8s.settings import Dependency
from azext_amlk8s.settings.dependencies import TAGS

PLACE = (
    Attribute("resource_group_name", Raw("local.resource_group_name")),
    Attribute("location", Raw("var.location")),
)
TAGGED = Attribute("tags", TAGS)


@dataclass(frozen=True)
class BackingBlocks:
    """The resources of one kind; config and protected are expressions for settings of the extension."""

    blocks: tuple[Block, ...]
    config: Mapping[str, Any]
    protected: Mapping[str, Any]


def backing_blocks(need: Dependency) -> BackingBlocks:
    """The resources that a dependency declares."""
    return {"relay": _relay, "logAnalytics": _log_analytics, "serviceBus": _service_bus}[need.kind](need)


def _relay(need: Dependency) -> BackingBlocks:
    namespace = Raw("azurerm_relay_namespace.relay.name")
    connection = "azurerm_relay_hybrid_connection.relay"
    rule = "azurerm_relay_hybrid_connection_authorization_rule.relay"
    group = PLACE[0]
    blocks = (
        Block(
            "resource",
            ("azurerm_relay_namespace", "relay"),
            (Attribute("name", Raw("var.relay_name")), *PLACE, Attribute("sku_name", "Standard"), None, TAGGED),
            COMMENTS["relay"],
        ),
        Block(
            "resource",
            ("azurerm_relay_hybrid_connection", "relay"),
            (
                Attribute("name", Raw("local.cluster_name")),
                group,
                Attribute("relay_namespace_name", namespace),
                Attribute("requires_client_authorization", True),
            ),
        ),
        Block(
            "resource",
            ("azurerm_relay_hybrid_connection_authorization_rule", "relay"),
            (
                Attribute("name", "azureml_rw"),
                group,
                Attribute("namespace_name", namespace),
                Attribute("hybrid_connection_name", Raw(f"{connection}.name")),
                None,
                *(Attribute(right, True) for right in ("manage", "send", "listen")),
            ),
        ),
    )
    known = {"{id}/hybridConnections/{cluster}": Raw(f"{connection}.id"), "{cluster}": Raw(f"{connection}.name")}
    return BackingBlocks(blocks, _config(need, known), _protected(need, f"{rule}.primary_connection_string"))


def _log_analytics(need: Dependency) -> BackingBlocks:
    block = Block(
        "resource",
        ("azurerm_log_analytics_workspace", "logs"),
        (Attribute("name", Raw("var.log_analytics_name")), *PLACE, Attribute("sku", "PerGB2018"), None, TAGGED),
        COMMENTS["logAnalytics"],
    )
    workspace = "azurerm_log_analytics_workspace.logs"
    config = _config(need, {"{properties.customerId}": Raw(f"{workspace}.workspace_id")})
    return BackingBlocks((block,), config, _protected(need, f"{workspace}.primary_shared_key"))


def _service_bus(need: Dependency) -> BackingBlocks:
    namespace = "azurerm_servicebus_namespace.service_bus"
    blocks = [
        Block(
            "resource",
            ("azurerm_servicebus_namespace", "service_bus"),
            (Attribute("name", Raw("var.service_bus_name")), *PLACE, Attribute("sku", "Standard"), None, TAGGED),
            COMMENTS["serviceBus"],
        )
    ]
    for part in knowledge.load("dependencies")[need.kind]["parts"]:
        _, topic, *below = part["path"].split("/")
        properties = part["body"]["properties"]
        name = topic.split("-")[0]
        time_to_live = Attribute("default_message_ttl", properties["defaultMessageTimeToLive"])
        if not below:
            body = (
                Attribute("name", topic),
                Attribute("namespace_id", Raw(f"{namespace}.id")),
                Attribute("max_size_in_megabytes", properties["maxSizeInMegabytes"]),
                time_to_live,
            )
            blocks.append(Block("resource", ("azurerm_servicebus_topic", name), body))
        else:
            body = (
                Attribute("name", below[-1]),
                Attribute("topic_id", Raw(f"azurerm_servicebus_topic.{name}.id")),
                Attribute("max_delivery_count", properties["maxDeliveryCount"]),
                time_to_live,
            )
            lock = Attribute("lock_duration", properties["lockDuration"])
            blocks.append(Block("resource", ("azurerm_servicebus_subscription", name), (*body, lock)))
    config = _config(need, {"{id}": Raw(f"{namespace}.id")})
    return BackingBlocks(tuple(blocks), config, _protected(need, f"{namespace}.default_primary_connection_string"))


def _config(need: Dependency, known: Mapping[str, Raw]) -> dict[str, Any]:
    declared = knowledge.load("dependencies")[need.kind]["config"]
    return {key: known.get(value, value) for key, value in declared.items()}


def _protected(need: Dependency, expression: str) -> dict[str, Raw]:
    return dict.fromkeys(need.protected, Raw(expression))
