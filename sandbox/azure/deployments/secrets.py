"""References of parameters to secrets in Key Vault.

https://learn.microsoft.com/azure/azure-resource-manager/templates/key-vault-parameter
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.azure.behaviours import Azure
from sandbox.azure.errors import ArmError


def read_secret(azure: Azure, reference: Mapping[str, Any]) -> str:
    """The value of a secret. Raises ArmError."""
    vault_id = str((reference.get("keyVault") or {}).get("id") or "")
    name = str(reference.get("secretName") or "")
    resource = azure.tree.get(vault_id)
    vault = next(
        (known for known in azure.world.vaults if known.name.lower() == vault_id.rsplit("/", 1)[-1].lower()), None
    )
    if resource is None or vault is None:
        text = f"The specified KeyVault '{vault_id}' could not be found."
        raise ArmError(400, "KeyVaultParameterReferenceNotFound", text)
    if not (resource.get("properties") or {}).get("enabledForTemplateDeployment"):
        text = (
            f"The KeyVault '{vault_id}' is not enabled for template deployment. "
            "Please see https://aka.ms/arm-keyvault for usage details."
        )
        raise ArmError(400, "KeyVaultTemplateReferenceNotEnabled", text)  # assumed code
    value = next((value for key, value in vault.secrets.items() if key.lower() == name.lower()), None)
    if value is None:
        text = f"The secret of KeyVault parameter cannot be retrieved: '{name}' was not found in vault '{vault_id}'."
        raise ArmError(400, "KeyVaultParameterReferenceSecretRetrieveFailed", text)
    return str(value)
