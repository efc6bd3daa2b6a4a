"""Microsoft.Relay, by its specification (2021-11-01) and `az relay`."""

from __future__ import annotations

from sandbox.azure.messaging import Namespaces, Part, Rules

VERSIONS = frozenset({"2017-04-01", "2021-11-01"})


class RelayNamespaces(Namespaces):
    """Namespaces of hybrid connections."""

    type = "Microsoft.Relay/namespaces"
    api_versions = VERSIONS
    skus = frozenset({"Standard"})


class NamespaceRules(Rules):
    """Rules at a namespace."""

    type = "Microsoft.Relay/namespaces/authorizationRules"
    spelled = "Microsoft.Relay/Namespaces/AuthorizationRules"
    api_versions = VERSIONS


class HybridConnections(Part):
    """Hybrid connections."""

    type = "Microsoft.Relay/namespaces/hybridConnections"
    spelled = "Microsoft.Relay/Namespaces/HybridConnections"
    api_versions = VERSIONS
    defaults = {"requiresClientAuthorization": True, "listenerCount": 0}


class HybridConnectionRules(Rules):
    """Rules at a hybrid connection."""

    type = "Microsoft.Relay/namespaces/hybridConnections/authorizationRules"
    spelled = "Microsoft.Relay/Namespaces/HybridConnections/AuthorizationRules"
    api_versions = VERSIONS


ALL = (RelayNamespaces(), NamespaceRules(), HybridConnections(), HybridConnectionRules())
