"""Microsoft.ServiceBus, by its specification (2021-11-01) and `az servicebus`."""

from __future__ import annotations

from sandbox.azure.behaviours import Call, Response
from sandbox.azure.messaging import Namespaces, Part, Rules, bad_request
from sandbox.azure.tree import Resource

VERSIONS = frozenset({"2017-04-01", "2021-11-01", "2024-01-01", "2026-01-01"})
FOREVER = "P10675199DT2H48M5.4775807S"


class BusNamespaces(Namespaces):
    """Namespaces of topics."""

    type = "Microsoft.ServiceBus/namespaces"
    api_versions = VERSIONS
    skus = frozenset({"Basic", "Standard", "Premium"})


class BusRules(Rules):
    """Rules at a namespace."""

    type = "Microsoft.ServiceBus/namespaces/authorizationRules"
    spelled = "Microsoft.ServiceBus/Namespaces/AuthorizationRules"
    api_versions = VERSIONS


class Topics(Part):
    """Topics."""

    type = "Microsoft.ServiceBus/namespaces/topics"
    spelled = "Microsoft.ServiceBus/Namespaces/Topics"
    api_versions = VERSIONS
    defaults = {
        "defaultMessageTimeToLive": FOREVER,
        "maxSizeInMegabytes": 1024,
        "requiresDuplicateDetection": False,
        "duplicateDetectionHistoryTimeWindow": "PT10M",
        "enableBatchedOperations": True,
        "sizeInBytes": 0,
        "status": "Active",
        "supportOrdering": True,
        "autoDeleteOnIdle": FOREVER,
        "enablePartitioning": False,
        "enableExpress": False,
        "subscriptionCount": 0,
    }

    async def put(self, call: Call, existing: Resource | None) -> Response:
        namespace = call.azure.tree.get(call.address.parent) or {}
        if (namespace.get("sku") or {}).get("name") == "Basic":
            raise bad_request("A namespace of the tier Basic has no topics.")  # assumed wording
        return await super().put(call, existing)

    async def read(self, call: Call, resource: Resource) -> Resource:
        count = sum(1 for _ in call.azure.tree.within(resource["id"], Subscriptions.spelled))
        return {**resource, "properties": {**resource["properties"], "subscriptionCount": count}}


class Subscriptions(Part):
    """Subscriptions of a topic."""

    type = "Microsoft.ServiceBus/namespaces/topics/subscriptions"
    spelled = "Microsoft.ServiceBus/Namespaces/Topics/Subscriptions"
    api_versions = VERSIONS
    defaults = {
        "lockDuration": "PT1M",
        "requiresSession": False,
        "defaultMessageTimeToLive": FOREVER,
        "deadLetteringOnMessageExpiration": False,
        "deadLetteringOnFilterEvaluationExceptions": True,
        "messageCount": 0,
        "maxDeliveryCount": 10,
        "status": "Active",
        "enableBatchedOperations": True,
        "autoDeleteOnIdle": FOREVER,
    }


ALL = (BusNamespaces(), BusRules(), Topics(), Subscriptions())
