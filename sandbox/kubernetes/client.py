"""A small client that the sandbox itself uses, for a real API server as for the stand-in of one."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any, Protocol

import aiohttp

from sandbox.kubernetes.requests import AGENT


class KubernetesError(Exception):
    """A response of 400 or more, other than 404 for an object; message is that of the API server."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Connection(Protocol):
    """Takes requests to an API server."""

    async def call(
        self, method: str, path: str, query: Mapping[str, str], body: str, content_type: str
    ) -> tuple[int, str]:
        """Status and body of the response."""


class HttpsConnection:
    """An API server at a URL, such as a real one."""

    def __init__(self, server: str, token: str, tls: ssl.SSLContext) -> None:
        self._server, self._tls = server, tls
        self._headers = {"Authorization": f"Bearer {token}", "User-Agent": AGENT}
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, path: str, query: Mapping[str, str], body: str, content_type: str
    ) -> tuple[int, str]:
        """Status and body of the response."""
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, connector=aiohttp.TCPConnector(ssl=self._tls))
        headers = {"Content-Type": content_type}
        url = self._server + path
        async with self._session.request(method, url, params=query, data=body or None, headers=headers) as response:
            return response.status, await response.text()

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()


class KubeClient:
    """Objects of one cluster. Errors other than 404 raise KubernetesError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    async def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object, or None."""
        if (path := await self._path(api_version, kind, namespace)) is None:
            return None
        return await self._call("GET", f"{path}/{name}")

    async def list(
        self, api_version: str, kind: str, namespace: str | None = None, label_selector: str | None = None
    ) -> list[dict[str, Any]]:
        """The objects of a kind, in one namespace or in all; empty if the kind is not served."""
        if (path := await self._path(api_version, kind, namespace)) is None:
            return []
        query = {"labelSelector": label_selector} if label_selector else {}
        found = (await self._call("GET", path, query)) or {}
        return [{"apiVersion": api_version, "kind": kind, **item} for item in found.get("items", [])]

    async def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Create or update by server-side apply, then set the status of the object."""
        meta = obj["metadata"]
        collection = await self._path(obj["apiVersion"], obj["kind"], meta.get("namespace"))
        if collection is None:
            raise KubernetesError(404, f"the cluster does not serve the kind {obj['kind']} of {obj['apiVersion']}")
        path = f"{collection}/{meta['name']}"
        query = {"fieldManager": "sandbox", "force": "true"}
        whole = {key: value for key, value in obj.items() if key != "status"}
        applied = await self._call("PATCH", path, query, whole, "application/apply-patch+yaml")
        if obj.get("status"):
            applied = await self._call(
                "PATCH", f"{path}/status", {}, {"status": obj["status"]}, "application/merge-patch+json"
            )
        return applied or {}

    async def merge_status(self, obj: dict[str, Any], status: dict[str, Any]) -> None:
        """Merge fields into the status of an object."""
        meta = obj["metadata"]
        path = await self._path(obj["apiVersion"], obj["kind"], meta.get("namespace"))
        patch = "application/merge-patch+json"
        await self._call("PATCH", f"{path}/{meta['name']}/status", {}, {"status": status}, patch)

    async def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> None:
        """Delete an object, if it exists."""
        if (path := await self._path(api_version, kind, namespace)) is not None:
            await self._call(
                "DELETE", f"{path}/{name}", body={"gracePeriodSeconds": 0, "kind": "DeleteOptions", "apiVersion": "v1"}
            )

    async def _path(self, api_version: str, kind: str, namespace: str | None) -> str | None:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if (api_version, kind) not in self._resources:
            for resource in ((await self._call("GET", root)) or {}).get("resources", ()):
                if "/" not in resource["name"]:
                    self._resources[api_version, resource["kind"]] = (resource["name"], resource["namespaced"])
            if (api_version, kind) not in self._resources:
                return None
        plural, namespaced = self._resources[api_version, kind]
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced and namespace else f"{root}/{plural}"

    async def _call(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> dict[str, Any] | None:
        sent = "" if body is None else json.dumps(body)
        code, text = await self._connection.call(method, path, query or {}, sent, content_type)
        if code == 404 and method in ("GET", "DELETE"):
            return None
        if code >= 400:
            raise KubernetesError(code, _message(text))
        content: dict[str, Any] = json.loads(text)
        return content


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
