"""Why Azure Key Vault does not return a secret, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.network import is_unknown_host, network_problem
from azext_amlk8s.redaction import redact_text
from azext_amlk8s.shell import join
from azext_amlk8s.values import parse_json

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError

    from azext_amlk8s.azure.key_vault import VaultItem

ROLE = "Ask for the role Key Vault Secrets User on the vault, or for the permission to get secrets."
NETWORK = "Run the command from a network from which the private endpoint of the vault is reached."
REFUSED = "the vault refused access"
DISABLED = "secretdisabled"
# What Key Vault says in error.innererror.code, what it means, and what to do:
# https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
REFUSALS = {
    "forbiddenbyrbac": ("you do not have the role Key Vault Secrets User on the vault", ROLE),
    "accessdenied": ("the access policies of the vault do not let you get secrets", ROLE),
    "forbiddenbypolicy": ("the access policies of the vault do not let you get secrets", ROLE),
    "forbiddenbyconnection": ("the vault does not allow access from this network", NETWORK),
    "forbiddenbyfirewall": ("the vault does not allow access from this network", NETWORK),
}


@dataclass(frozen=True)
class Refusal:
    """Why a vault does not return a secret, as a clause, and what to do: a command or a sentence."""

    reason: str
    fix: str


def explain_refusal(error: AzureError, item: VaultItem) -> Refusal:
    """What an error of azure-core means for the secret, or for the secret behind a certificate."""
    from azext_amlk8s.azure.responses import UnexpectedResponse

    if isinstance(error, UnexpectedResponse):
        return Refusal(str(error.message).rstrip("."), "Check the proxy between this machine and the vault.")
    status = getattr(error, "status_code", None)
    if status is None:
        problem, fixes = network_problem(error, f"key vault '{item.vault_name}'")
        if is_unknown_host(error):
            fixes = [
                join(["az", "keyvault", "list-deleted", "--query", f"[?name=='{item.vault_name}']", "-o", "table"])
            ]
            problem = f"{problem} It may not exist, or be deleted"
        return Refusal(problem.rstrip("."), fixes[0])
    if status == 404:
        return Refusal("it does not exist in the vault", vault_command(item, "list", "-o", "table"))
    code = _inner_code(error).lower()
    if code == DISABLED:
        return Refusal("it is disabled", vault_command(item, "set-attributes", "-n", item.name, "--enabled", "true"))
    if code in REFUSALS:
        return Refusal(*REFUSALS[code])
    if status in (401, 403):
        return Refusal("the vault refused your sign-in", "az login") if status == 401 else Refusal(REFUSED, ROLE)
    first = next(iter(str(getattr(error, "message", "") or error).splitlines()), "no message")
    return Refusal(f"the vault returned {status}: {redact_text(first).rstrip('.')}", "Run the same command again.")


def vault_command(item: VaultItem, verb: str, *options: str) -> str:
    """A command of az on the secrets or the certificates of a vault, whichever the item is."""
    return join(["az", "keyvault", item.kind.removesuffix("s"), verb, "--vault-name", item.vault_name, *options])


def _inner_code(error: AzureError) -> str:
    try:
        detail: Mapping[str, Any] = parse_json(error.response.text())["error"]  # type: ignore[attr-defined]
        return str((detail.get("innererror") or {}).get("code") or detail.get("code") or "")
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""
