"""Microsoft.Resources and Microsoft.Features: tenants, subscriptions, groups, providers and features."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.azure.behaviours import Azure, Response
from sandbox.azure.errors import ArmError, group_not_found
from sandbox.azure.filters import parse_filter
from sandbox.azure.paging import page
from sandbox.azure.registry import BEHAVIOURS
from sandbox.azure.seed import CREATED
from sandbox.azure.tags import TagNames, require_valid
from sandbox.azure.tree import Address, Resource

PROVIDER = re.compile(r"^/subscriptions/([^/]+)/providers(?:/([^/]+)(?:/(register|unregister))?)?$", re.I)
FEATURE = re.compile(
    r"^/subscriptions/([^/]+)/providers/Microsoft\.Features(?:/providers/([^/]+))?/features"
    r"(?:/([^/]+)(?:/(register|unregister))?)?$",
    re.I,
)
GROUP = re.compile(r"^/subscriptions/([^/]+)/resourcegroups(?:/([^/]+))?$", re.I)
RESOURCES = re.compile(r"^(/subscriptions/[^/]+(?:/resourcegroups/[^/]+)?)/resources$", re.I)
SUBSCRIPTION = re.compile(r"^/subscriptions(?:/([^/]+)(/locations)?)?$", re.I)
PAGE_SIZE = 1000  # assumed


class Subscription:
    """Responds to paths without a resource of a provider."""

    def __init__(self, azure: Azure, base: Callable[[], str]) -> None:
        self._azure, self._base = azure, base
        self.providers = dict(azure.world.providers)
        self.features = dict(azure.world.features)
        self._registering: set[str] = set()
        self._tag_names = TagNames(azure.tree)

    def respond(self, method: str, path: str, query: dict[str, str], body: dict[str, Any]) -> Response | None:
        """The response to such a path, None for all others."""
        path = path.rstrip("/")
        if path.lower() == "/tenants":
            tenant = self._azure.world.tenant
            return Response(
                200,
                {
                    "value": [
                        {
                            "id": f"/tenants/{tenant}",
                            "tenantId": tenant,
                            "tenantCategory": "Home",
                            "displayName": "Sandbox",
                        }
                    ]
                },
            )
        if (response := self._tag_names.respond(method, path)) is not None:
            return response
        for pattern, respond in (
            (SUBSCRIPTION, self._subscriptions),
            (FEATURE, self._feature),
            (PROVIDER, self._provider),
            (GROUP, self._group),
            (RESOURCES, self._resources),
        ):
            if found := pattern.match(path):
                if found.group(1) and pattern is not RESOURCES:
                    self._require_subscription(found.group(1))
                return respond(method, found, query, body)
        return None

    def require(self, address: Address) -> None:
        """Raise ArmError where the subscription or the resource group of an address does not exist."""
        parts = address.scope.split("/")
        if len(parts) > 2 and parts[1].lower() == "subscriptions":
            self._require_subscription(parts[2])
            if address.group and self._azure.tree.get("/".join(parts[:5])) is None:
                raise group_not_found(address.group)

    def is_registered(self, namespace: str) -> bool:
        """Whether a resource provider is registered; one that the world does not name is."""
        known = {name.lower(): state for name, state in self.providers.items()}
        return known.get(namespace.lower(), "Registered") == "Registered"

    def _require_subscription(self, subscription: str) -> None:
        if subscription.lower() not in {entry["id"].lower() for entry in self._azure.world.subscriptions}:
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")

    def _subscriptions(
        self, method: str, found: re.Match[str], query: dict[str, str], body: dict[str, Any]
    ) -> Response:
        if found.group(2):
            location = self._azure.world.location
            return Response(
                200,
                {
                    "value": [
                        {
                            "id": f"/subscriptions/{found.group(1)}/locations/{location}",
                            "name": location,
                            "displayName": location,
                            "regionalDisplayName": location,
                        }
                    ]
                },
            )
        subscriptions = [self._subscription_resource(entry) for entry in self._azure.world.subscriptions]
        if found.group(1):
            return Response(
                200,
                next(
                    subscription
                    for subscription in subscriptions
                    if subscription["subscriptionId"].lower() == found.group(1).lower()
                ),
            )
        return Response(200, {"value": subscriptions, "nextLink": ""})

    def _subscription_resource(self, entry: Any) -> Resource:
        return {
            "id": f"/subscriptions/{entry['id']}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": entry["id"],
            "tenantId": self._azure.world.tenant,
            "displayName": entry["name"],
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        }

    def _group(self, method: str, found: re.Match[str], query: dict[str, str], body: dict[str, Any]) -> Response:
        subscription, name = found.groups()
        if name is None:
            wanted = parse_filter(query.get("$filter", ""))
            groups = self._azure.tree.within(f"/subscriptions/{subscription}", "Microsoft.Resources/resourceGroups")
            return self._page(found.group(0), query, [group for group in groups if wanted.matches(group)])
        resource = self._azure.tree.get(f"/subscriptions/{subscription}/resourceGroups/{name}")
        if method == "HEAD":
            return Response(204 if resource else 404)
        if method == "PUT":
            return self._put_group(found.group(0), name, resource, body)
        if resource is None:
            raise group_not_found(name)
        if method == "PATCH":
            require_valid(body.get("tags") or {})
            resource["tags"] = body.get("tags", resource["tags"])
        elif method != "GET":
            raise ArmError(405, "MethodNotAllowed", f"The request method '{method}' is not supported for groups.")
        return Response(200, resource)

    def _put_group(self, group_id: str, name: str, existing: Resource | None, body: dict[str, Any]) -> Response:
        location, tags = body.get("location"), body.get("tags") or {}
        require_valid(tags)
        if existing and str(location).lower() != existing["location"].lower():
            raise ArmError(
                409,
                "InvalidResourceGroupLocation",
                f"Invalid resource group location '{location}'. The Resource group already exists in location "
                f"'{existing['location']}'.",
            )
        if not location:
            raise ArmError(400, "LocationRequired", "The location property is required for this definition.")
        resource = {
            "id": existing["id"] if existing else group_id,
            "name": existing["name"] if existing else name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": location,
            "tags": tags,
            "properties": {"provisioningState": "Succeeded"},
        }
        return Response(200 if existing else 201, self._azure.tree.put(resource))

    def _resources(self, method: str, found: re.Match[str], query: dict[str, str], body: dict[str, Any]) -> Response:
        wanted = parse_filter(query.get("$filter", ""))
        keys = ["id", "name", "type", "location", "tags", "identity", "kind", "sku"]
        if wanted.hides_tags:
            keys.remove("tags")
        expanded = [part.strip().lower() for part in query.get("$expand", "").split(",")]
        shown = [
            {key: resource[key] for key in keys if key in resource} | _expanded(resource, expanded)
            for resource in self._azure.tree.within(found.group(1))
            if "/providers/" in resource["id"]
            and not resource["type"].startswith("Microsoft.Authorization/")
            and resource["type"].count("/") == 1
            and "location" in resource
            and wanted.matches(resource)
        ]
        return self._page(found.group(0), query, shown)

    def _page(self, path: str, query: dict[str, str], items: list[Any]) -> Response:
        size = self._azure.world.page_size or PAGE_SIZE
        return Response(200, page(f"{self._base()}{path}", query, items, size))

    def _provider(
        self, method: str, found: re.Match[str], query: dict[str, str], body: dict[str, Any]
    ) -> Response | None:
        subscription, namespace_or_type, verb = found.groups()
        if namespace_or_type is None:
            return Response(200, {"value": [self._describe(subscription, name) for name in self.providers]})
        name = next((provider for provider in self.providers if provider.lower() == namespace_or_type.lower()), None)
        if name is None:
            raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace_or_type}' is invalid.")
        if verb == "register" and self.providers[name] != "Registered":
            self.providers[name] = "Registering"
            self._registering.add(name)
            return Response(200, self._describe(subscription, name))
        if verb == "unregister":
            self.providers[name] = "Unregistered"
        described = self._describe(subscription, name)
        if name in self._registering:  # the next read finds it registered
            self._registering.discard(name)
            self.providers[name] = "Registered"
        return Response(200, described)

    def _describe(self, subscription: str, name: str) -> Resource:
        types = sorted(
            {
                resource["type"].split("/", 1)[1]
                for resource in self._azure.tree.within("", None)
                if resource["type"].lower().startswith(name.lower() + "/")
            }
        )
        versions = {
            key.split("/", 1)[1]: sorted(behaviour.api_versions, reverse=True)
            for key, behaviour in BEHAVIOURS.items()
            if behaviour.api_versions and key.startswith(name.lower() + "/")
        }
        kinds = [
            {
                "resourceType": kind,
                "locations": ["East US"],
                "capabilities": "None",
                "apiVersions": versions.get(kind.lower()) or API_VERSIONS.get(f"{name}/{kind}".lower(), ["2024-01-01"]),
            }
            for kind in sorted({*types, *versions})
        ]
        return {
            "id": f"/subscriptions/{subscription}/providers/{name}",
            "namespace": name,
            "authorizations": [],
            "resourceTypes": kinds,
            "registrationState": self.providers[name],
            "registrationPolicy": "RegistrationRequired",
        }

    def _feature(self, method: str, found: re.Match[str], query: dict[str, str], body: dict[str, Any]) -> Response:
        subscription, namespace, name, verb = found.groups()
        known = [key for key in self.features if namespace is None or key.lower().startswith(namespace.lower() + "/")]
        if name is None:
            return Response(200, {"value": [self._shown(subscription, key) for key in known]})
        key = next((provider for provider in known if provider.lower() == f"{namespace}/{name}".lower()), None)
        if key is None:
            raise ArmError(404, "FeatureNotFound", f"The feature '{name}' could not be found.")
        if verb:
            self.features[key] = "Registered" if verb.lower() == "register" else "Unregistered"
        return Response(200, self._shown(subscription, key))

    def _shown(self, subscription: str, key: str) -> Resource:
        namespace, name = key.split("/", 1)
        return {
            "id": f"/subscriptions/{subscription}/providers/Microsoft.Features/providers/{namespace}/features/{name}",
            "name": key,
            "type": "Microsoft.Features/providers/features",
            "properties": {"state": self.features[key]},
        }


def _expanded(resource: Resource, names: Sequence[str]) -> Resource:
    """The properties that $expand adds to an entry of a list."""
    properties = resource.get("properties") or {}
    values = {
        "createdTime": CREATED,
        "changedTime": CREATED,
        "provisioningState": properties.get("provisioningState", "Succeeded"),
    }
    return {key: value for key, value in values.items() if key.lower() in names}


API_VERSIONS = {
    "microsoft.containerservice/managedclusters": ["2025-05-01", "2025-02-01", "2024-09-01"],
    "microsoft.kubernetes/connectedclusters": ["2024-01-01"],
    "microsoft.machinelearningservices/workspaces": ["2024-10-01"],
    "microsoft.managedidentity/userassignedidentities": ["2024-11-30", "2023-01-31"],
}
