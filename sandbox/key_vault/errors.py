"""Errors in the words of Key Vault's data plane.

https://github.com/Azure/azure-sdk-for-js has recordings of 401 and 404,
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes lists 401, 403 and 429.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.key_vault.entries import AUDIENCE, Vault

RBAC_ACTIONS = {
    "secrets/get": "secrets/getSecret/action",
    "secrets/list": "secrets/readMetadata/action",
    "secrets/set": "secrets/setSecret/action",
    "certificates/get": "certificates/read",
    "certificates/list": "certificates/read",
    "certificates/import": "certificates/import/action",
}
HELP = "For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid="


class VaultError(Exception):
    """A response of 400 or more."""

    def __init__(self, status: int, code: str, message: str, inner: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}}


def no_token() -> VaultError:
    """The response that has the challenge."""
    return VaultError(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")


def wrong_audience(audience: str) -> VaultError:
    """A token for something else, such as ARM."""
    text = f"AKV10022: Invalid audience. Expected {AUDIENCE}, found: {audience}."
    return VaultError(401, "Unauthorized", text)


def not_found(kind: str, name: str) -> VaultError:
    """No such secret or certificate, or no such version."""
    noun = kind.removesuffix("s")
    text = (
        f"A {noun} with (name/id) {name} was not found in this key vault. If you recently deleted this {noun} you may "
        f"be able to recover it using the correct recovery command. {HELP}2125182"
    )
    return VaultError(404, f"{noun.capitalize()}NotFound", text)


def forbidden(vault: Vault, permission: str, name: str, claims: Mapping[str, Any], subscription: str) -> VaultError:
    """A permission that the caller does not have, by role or by access policy."""
    kind, verb = permission.split("/")
    caller = ";".join(f"{key}={claims.get(key)}" for key in ("appid", "oid", "iss"))
    place = f"{vault.name};location={vault.location}"
    if not vault.rbac:
        text = (
            f"The user, group or application '{caller}' does not have {kind} {verb} permission on key vault '{place}'."
        )
        return VaultError(403, "Forbidden", f"{text} {HELP}2125287", "AccessDenied")
    scope = (
        f"/subscriptions/{subscription}/resourcegroups/{vault.group}/providers/microsoft.keyvault/vaults/{vault.name}"
    )
    lines = (
        "Caller is not authorized to perform action on resource.",
        "If role assignments, deny assignments or role definitions were changed recently, please observe propagation "
        "time.",
        f"Caller: {caller}",
        f"Action: 'Microsoft.KeyVault/vaults/{RBAC_ACTIONS[permission]}'",
        f"Resource: '{scope}/{kind}{f'/{name}' if name else ''}'",
        "Assignment: (not found)",
        "DenyAssignmentId: null",
        "DecisionReason: null ",
        f"Vault: {place}",
        "",
    )
    return VaultError(403, "Forbidden", "\r\n".join(lines), "ForbiddenByRbac")


def not_public(vault: Vault) -> VaultError:
    """A vault that is reached through private endpoints alone."""
    text = (
        "Public network access is disabled and request is not from a trusted service nor via an approved private link."
        f"\r\nVault: {vault.name};location={vault.location}"
    )
    return VaultError(403, "Forbidden", text, "ForbiddenByConnection")


def disabled(kind: str) -> VaultError:
    """A secret or certificate that is switched off."""
    noun = kind.removesuffix("s")
    text = f"Operation get is not allowed on a disabled {noun}."
    return VaultError(403, "Forbidden", text, f"{noun.capitalize()}Disabled")


def bad_parameter(message: str) -> VaultError:
    """A request that is not valid."""
    return VaultError(400, "BadParameter", message)
