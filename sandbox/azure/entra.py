"""The cloud's metadata and Entra's login, as far as a service principal needs them."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.key_vault.entries import DNS_SUFFIX
from sandbox.world import guid

TOKEN_SECONDS = 3600


def metadata(base: str, suffixes: Mapping[str, str]) -> dict[str, Any]:
    """The metadata that `az cloud register` reads; suffixes are those of a world that stands for another cloud."""
    return {
        "name": "Sandbox",
        "portal": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": [base, f"{base}/"],
            "tenant": "common",
            "identityProvider": "AAD",
        },
        "graph": base,
        "graphAudience": base,
        "microsoftGraphResourceId": f"{base}/",
        "resourceManager": base,
        "activeDirectoryDataLake": base,
        "batch": base,
        "media": base,
        "gallery": base,
        "sqlManagement": base,
        "suffixes": {
            "keyVaultDns": DNS_SUFFIX,
            "storage": "core.sandbox.invalid",
            "acrLoginServer": "azurecr.sandbox.invalid",
            "sqlServerHostname": "database.sandbox.invalid",
            **suffixes,
        },
    }


def openid(base: str, tenant: str) -> dict[str, Any]:
    """The OpenID configuration of a tenant."""
    return {
        "issuer": f"{base}/{tenant}/v2.0",
        "authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/authorize",
        "token_endpoint": f"{base}/{tenant}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/{tenant}/oauth2/v2.0/devicecode",
        "jwks_uri": f"{base}/{tenant}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token", "token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


async def token(request: web.Request, tenant: str) -> web.Response:
    """A token for any service principal with a secret; its signature is not verified."""
    form = await request.post()
    client = str(form.get("client_id", ""))
    if not client or not form.get("client_secret"):
        return web.json_response(
            {
                "error": "invalid_client",
                "error_description": "AADSTS7000218: The request body must contain client_id and client_secret.",
            },
            status=401,
        )
    now = int(time.time())
    audience = str(form.get("scope", form.get("resource", ""))).split()[0].removesuffix("/.default")
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + TOKEN_SECONDS,
        "appid": client,
        "oid": guid("principal", client),
        "sub": guid("principal", client),
        "tid": tenant,
        "idtyp": "app",
        "uti": secrets.token_urlsafe(12),
        "ver": "1.0",
    }
    return web.json_response(
        {
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "ext_expires_in": TOKEN_SECONDS,
            "access_token": _jwt(claims),
        }
    )


def claims_of(authorization: str) -> dict[str, Any] | None:
    """The claims of a bearer token of the sandbox, None for anything else."""
    try:
        scheme, value = authorization.split(" ", 1)
        body = value.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, IndexError):
        return None
    return claims if scheme.lower() == "bearer" and isinstance(claims, dict) else None


def _jwt(claims: dict[str, Any]) -> str:
    sections = ({"alg": "RS256", "typ": "JWT", "kid": "sandbox"}, claims)
    parts = [base64.urlsafe_b64encode(json.dumps(word).encode()).rstrip(b"=").decode() for word in sections]
    return ".".join([*parts, base64.urlsafe_b64encode(b"unsigned").rstrip(b"=").decode()])
