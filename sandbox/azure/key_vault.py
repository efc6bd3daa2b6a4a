"""Microsoft.KeyVault/vaults in ARM; their secrets are in the data plane."""

from __future__ import annotations

from sandbox.azure.behaviours import Behaviour, Call, Response
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource
from sandbox.key_vault.entries import Vault
from sandbox.world import World


class Vaults(Behaviour):
    """Vaults of the world: they can be read and tagged, not created."""

    type = "Microsoft.KeyVault/vaults"

    async def put(self, call: Call, existing: Resource | None) -> Response:
        if existing is None:
            raise ArmError(405, "MethodNotAllowed", "The sandbox does not create vaults: declare them in the world.")
        return await super().put(call, existing)


def vault_resource(world: World, root: str, vault: Vault) -> Resource:
    """The resource of a vault."""
    return {
        "id": f"{root}/resourceGroups/{vault.group}/providers/Microsoft.KeyVault/vaults/{vault.name}",
        "name": vault.name,
        "type": "Microsoft.KeyVault/vaults",
        "location": vault.location or world.location,
        "tags": dict(vault.tags),
        "properties": {
            "sku": {"family": "A", "name": "standard"},
            "tenantId": world.tenant,
            "accessPolicies": [],
            "enabledForDeployment": False,
            "enabledForTemplateDeployment": vault.template_deployment,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": vault.rbac,
            "vaultUri": f"{vault.url}/",
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled" if vault.public_network_access else "Disabled",
        },
    }


ALL = (Vaults(),)
