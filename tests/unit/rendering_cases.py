"""Clusters to render, as `render` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from azext_amlk8s.computes.model import AttachRequest
from azext_amlk8s.computes.roles import needed_roles
from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef
from azext_amlk8s.rendering import ClusterInput, SecretReference
from azext_amlk8s.settings import BLANK, Settings, build_create_body, merge_settings, needed_resources
from azext_amlk8s.settings.facts import cluster_facts_from_resources

SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
OTHER_SUBSCRIPTION = "55555555-dddd-4eee-8fff-444444444444"
PRINCIPAL = "66666666-dddd-4eee-8fff-444444444444"
CERTIFICATE = SecretReference("scoringFe.sslCert", "file", "cert.pem", encoded=True)
KEY = SecretReference(
    "scoringFe.sslKey", "key_vault", "https://edge-vault.vault.azure.net/secrets/fe-key", encoded=True
)
FAR_RELAY = SecretReference(
    "relayServerConnectionString",
    "key_vault",
    "https://far.vault.azure.net/secrets/relay",
    vault_id=f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/vaults/providers/Microsoft.KeyVault/vaults/far",
)
IDENTITY = {
    "type": "UserAssigned",
    "userAssignedIdentities": {
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/jobs": {}
    },
}
INFERENCE = {
    "enableInference": "True",
    "inferenceRouterServiceType": "loadBalancer",
    "sslCname": "ml.contoso.com",
}
OWN_RELAY = {
    "enableTraining": "True",
    "relayserver.hybridConnectionName": "arc",
    "relayserver.hybridConnectionResourceID": (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/relays/providers/Microsoft.Relay/namespaces/edge/hybridConnections/arc"
    ),
}
RELAY = SecretReference("relayServerConnectionString", "env", "RELAY")


def cluster_input(
    name: str,
    cluster_type: str = "managedClusters",
    *,
    nodes: int = 3,
    config: Mapping[str, str] | None = None,
    secrets: Sequence[SecretReference] = (),
    roles: bool = False,
    compute: bool = True,
    subscription: str = SUBSCRIPTION,
    identity: Mapping[str, object] | None = None,
    group: str = "ml-rg",
    description: str | None = None,
    **versions: Any,
) -> ClusterInput:
    """A cluster with an extension and, unless it is left out, a compute."""
    ref = ClusterRef(subscription, group, cluster_type, name)
    resource = {"id": ref.id, "name": name, "location": "East US", "properties": {"totalNodeCount": nodes}}
    facts = cluster_facts_from_resources(resource, cluster_type)
    settings = Settings(config or {"enableTraining": "True"}, {secret.key: BLANK for secret in secrets})
    needs = needed_resources(settings, facts)
    for need in needs:
        settings = merge_settings(settings, need.settings(None, BLANK))
    workspace = WorkspaceRef(SUBSCRIPTION, "ml-rg", "ml-ws")
    compute_name = f"k8s-{name}"[:16].replace(".", "-").replace("_", "-").strip("-")
    request = AttachRequest(
        ComputeRef(workspace, compute_name),
        ref,
        "ml",
        identity or {"type": "SystemAssigned"},
        {"amlk8s-setup": "edge"},
        description,
    )
    return ClusterInput(
        facts,
        "azureml",
        build_create_body(settings, facts, **versions),
        needs,
        tuple(secrets),
        request if compute else None,
        {"location": "westeurope"} if compute else None,
        needed_roles(PRINCIPAL, ref) if roles else (),
    )


FLEETS: dict[str, list[ClusterInput]] = {
    "one AKS cluster": [cluster_input("aks")],
    "one Arc-connected cluster": [cluster_input("arc", "connectedClusters")],
    "both types, roles": [cluster_input("aks", roles=True), cluster_input("arc", "connectedClusters", roles=True)],
    "clusters that differ in settings": [
        cluster_input("big", config={"enableTraining": "True", "nodeSelector.pool": "ml"}),
        cluster_input("small", nodes=1),
    ],
    "every resource beneath the extension": [
        cluster_input(
            "arc",
            "connectedClusters",
            config={"enableTraining": "True", "logAnalyticsWS": "True", "servicebus.enabled": "True"},
        )
    ],
    "secrets": [
        cluster_input("aks", config=INFERENCE, secrets=(CERTIFICATE, KEY)),
        cluster_input("arc", "connectedClusters", config=OWN_RELAY, secrets=(RELAY,)),
    ],
    "two subscriptions": [cluster_input("aks"), cluster_input("far", subscription=OTHER_SUBSCRIPTION)],
    "a fixed version": [
        cluster_input("aks", version="1.1.88"),
        cluster_input("arc", "connectedClusters", version="1.1.88"),
    ],
    "no automatic upgrades": [
        cluster_input("aks", auto_upgrade=False),
        cluster_input("arc", "connectedClusters", auto_upgrade=False, secrets=(RELAY,), config=OWN_RELAY),
    ],
    "automatic upgrades": [cluster_input("aks", auto_upgrade=True)],
    "an identity and a description": [
        cluster_input("aks", identity=IDENTITY, description='GPU\'s of the "lab", ${ready}\nfor jobs'),
        cluster_input("plain"),
    ],
    "one name in two groups": [cluster_input("aks"), cluster_input("aks", group="other-rg", nodes=1)],
    "one secret in two variables": [
        cluster_input("aks", config=INFERENCE, secrets=(CERTIFICATE, KEY)),
        cluster_input("arc", "connectedClusters", config=OWN_RELAY, secrets=(RELAY,)),
        cluster_input("far", "connectedClusters", config=OWN_RELAY, secrets=(replace(RELAY, source="RELAY_FAR"),)),
    ],
    "a key vault in another subscription": [
        cluster_input("arc", "connectedClusters", config=OWN_RELAY, secrets=(FAR_RELAY,)),
    ],
    "awkward names": [cluster_input("Store.001_West-Europe"), cluster_input("7-eleven", "connectedClusters")],
    "three clusters of one kind": [cluster_input(f"store-{number}", roles=True) for number in (1, 2, 3)],
    "no computes": [cluster_input("aks", compute=False)],
}
# The value is not valid; it is rendered as it is.
LIKE_AN_EXPRESSION = [cluster_input("aks", config={"enableTraining": "True", "nodeSelector.pool": "[a'${b}"})]
