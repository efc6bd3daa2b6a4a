"""The data plane of the vaults of a world: the host of a request says which vault it is for."""

from __future__ import annotations

import dataclasses
import json
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from sandbox.azure import entra
from sandbox.key_vault import certificates, errors
from sandbox.key_vault.entries import AUDIENCE, DNS_SUFFIX, Item
from sandbox.key_vault.errors import VaultError
from sandbox.key_vault.store import VaultStore
from sandbox.world import World

log = logging.getLogger(__name__)
PAGE_SIZE = 25
SUMMARY = ("id", "attributes", "tags", "contentType", "managed", "x5t")


class KeyVaultApp:
    """Key Vault for az, the SDKs and our client. base: the URL of ARM, whose login issues the tokens."""

    def __init__(self, world: World, base: Callable[[], str], on_request: Callable[[dict[str, Any]], None]) -> None:
        self._world, self._base, self._on_request = world, base, on_request
        located = [dataclasses.replace(vault, location=vault.location or world.location) for vault in world.vaults]
        self._stores = {vault.name.lower(): VaultStore(vault) for vault in located}

    def application(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._respond)
        return app

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        claims = entra.claims_of(request.headers.get("Authorization", ""))
        try:
            response = web.json_response(await self._route(request, claims))
        except VaultError as error:
            response = web.json_response(error.body, status=error.status)
            if error.status == 401:
                tenant = f"{self._base()}/{self._world.tenant}"
                response.headers["WWW-Authenticate"] = f'Bearer authorization="{tenant}", resource="{AUDIENCE}"'
        except Exception:
            log.exception("%s %s", request.method, request.path)
            response = web.json_response({"error": {"code": "InternalError", "message": "Failed."}}, status=500)
        response.headers.update(
            {
                "x-ms-keyvault-region": self._world.location,
                "x-ms-keyvault-service-version": "1.9.1652.1",
                "x-ms-request-id": str(uuid.uuid4()),
                "Cache-Control": "no-cache",
                "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
                "X-Content-Type-Options": "nosniff",
            }
        )
        self._on_request(
            {
                "method": request.method,
                "host": request.host,
                "path": request.path,
                "query": dict(request.query),
                "status": response.status,
                "who": f"key-vault:{(claims or {}).get('appid', 'anonymous')}",
            }
        )
        return response

    async def _route(self, request: web.Request, claims: Mapping[str, Any] | None) -> Any:
        store = self._stores.get(request.host.split(":")[0].lower().removesuffix(f".{DNS_SUFFIX}"))
        if store is None:
            raise errors.bad_parameter(f"The host '{request.host}' is not that of a vault.")
        if claims is None:
            raise errors.no_token()
        if str(claims.get("aud", "")).rstrip("/") != AUDIENCE:
            raise errors.wrong_audience(str(claims.get("aud", "")))
        if not store.vault.public_network_access:
            raise errors.not_public(store.vault)
        if not request.query.get("api-version"):
            raise errors.bad_parameter("The request must have an api-version.")  # assumed
        kind, *rest = [part for part in request.path.split("/") if part] or [""]
        if kind not in store.items or len(rest) > 2:
            raise errors.bad_parameter(f"Method {request.method} does not allow operation '{request.path}'")  # assumed
        verb = _verb(request.method, kind, rest)
        permission = f"{kind}/{verb}"
        if permission in store.vault.denied:
            name = rest[0] if rest else ""
            raise errors.forbidden(store.vault, permission, name, claims, self._world.subscription)
        if verb == "list":
            return _listed(store, kind, rest[0] if rest else "", request)
        if verb == "get":
            return _read(store, kind, rest[0], rest[1] if len(rest) > 1 else "")
        body = await _body(request)
        return store.set_secret(rest[0], body) if verb == "set" else _imported(store, rest[0], body)


def _verb(method: str, kind: str, rest: list[str]) -> str:
    """The permission that a request needs. Raises VaultError for a request that is not offered."""
    if method == "GET":
        return "list" if not rest or rest[1:] == ["versions"] else "get"
    if (method, kind, len(rest)) == ("PUT", "secrets", 1):
        return "set"
    if (method, kind, rest[1:]) == ("POST", "certificates", ["import"]):
        return "import"
    raise errors.bad_parameter(f"Method {method} is not offered here.")  # assumed


def _read(store: VaultStore, kind: str, name: str, version: str) -> Item:
    item = store.find(kind, name, version)
    if item is None:
        raise errors.not_found(kind, f"{name}/{version}" if version else name)
    if not item["attributes"]["enabled"] and kind == "secrets":
        raise errors.disabled(kind)
    return item


def _listed(store: VaultStore, kind: str, name: str, request: web.Request) -> dict[str, Any]:
    """A page of the names, or of the versions of one name, without any value."""
    if name and not store.versions(kind, name):
        raise errors.not_found(kind, name)
    found: Iterable[Item] = (
        store.versions(kind, name) if name else (versions[-1] for versions in store.items[kind].values())
    )
    items = [_summary(item, versioned=bool(name)) for item in found]
    begin, size = int(request.query.get("$skiptoken") or 0), int(request.query.get("maxresults") or PAGE_SIZE)
    following = None
    if begin + size < len(items):
        url = f"{store.vault.url}{request.path}?api-version={request.query['api-version']}"
        following = f"{url}&$skiptoken={begin + size}&maxresults={size}"
    return {"value": items[begin : begin + size], "nextLink": following}


def _summary(item: Item, *, versioned: bool) -> Item:
    shown = {key: item[key] for key in SUMMARY if key in item}
    return shown if versioned else {**shown, "id": item["id"].rsplit("/", 1)[0]}


def _imported(store: VaultStore, name: str, body: Mapping[str, Any]) -> Item:
    try:
        pair = certificates.read(str(body.get("value", "")), body.get("pwd"))
    except (ValueError, TypeError) as error:
        raise errors.bad_parameter(f"The specified certificate cannot be read: {error}") from error  # assumed
    return store.add_certificate(name, pair, body)


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError as error:
        raise errors.bad_parameter("The request body is not valid JSON.") from error
    return body if isinstance(body, dict) else {}
