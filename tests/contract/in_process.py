"""A sandbox in the process of the test, and requests to it without any client."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from sandbox import server
from sandbox.tls import Authority
from sandbox.world import load

BASE = Path(__file__).parent.parent / "scenarios" / "world.yaml"
GROUP = "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/ml-rg/providers"
AKS = f"{GROUP}/Microsoft.ContainerService/managedClusters/aks"
ARC = f"{GROUP}/Microsoft.Kubernetes/connectedClusters/arc"
EXTENSION = "providers/Microsoft.KubernetesConfiguration/extensions/ext"


@dataclass(frozen=True)
class Response:
    """A response: status, headers, the text of its body, and the body as JSON or None."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.text)
        except ValueError:
            return None


class InProcess:
    """A running sandbox."""

    def __init__(self, started: server.Started, folder: Path, authority: Authority, loop: asyncio.AbstractEventLoop):
        self._started, self._authority, self._loop = started, authority, loop
        users = yaml.safe_load((folder / "kubeconfig").read_text(encoding="utf-8"))["users"]
        self._tokens = {user["name"].removeprefix("user-"): user["user"]["token"] for user in users}
        self._count = 0
        self.token = self.new_token()

    def new_token(self) -> str:
        """A token that Azure has not seen yet."""
        self._count += 1
        claims = (
            base64.urlsafe_b64encode(json.dumps({"appid": "test", "uti": self._count}).encode()).decode().rstrip("=")
        )
        return f"e30.{claims}.x"

    def arm(self, method: str, path: str, body: Any = None, **query: str) -> Response:
        """A request to ARM: a path, or a URL as ARM gave it. Raises aiohttp.ClientError."""
        url = path if path.startswith("https://") else f"{self._started.azure}{path}"
        if "api-version=" not in url.lower():
            query = {"api-version": "2024-11-01", **query}
        return self._do(self._send(method, url, self.token, body, query))

    def kube(self, method: str, path: str, body: Any = None, cluster: str = "aks", **query: str) -> Response:
        """A request to the Kubernetes API of a cluster, as the user of the kubeconfig."""
        url = f"{self._started.clusters[cluster].server}{path}"
        return self._do(self._send(method, url, self._tokens[cluster], body, query))

    def vault(self, method: str, url: str, token: str = "", body: Any = None) -> Response:
        """A request to the data plane of Key Vault, through the sandbox's proxy."""
        return self._do(self._send(method, url, token, body, {}, self._started.proxy))

    @property
    def azure(self) -> str:
        """The URL of ARM."""
        return self._started.azure

    def pods(self, cluster: str = "aks") -> dict[str, Any]:
        """The pods of the extension by name."""
        items = self.kube("GET", "/api/v1/namespaces/azureml/pods", cluster=cluster).body["items"]
        return {item["metadata"]["name"]: item for item in items}

    def install(self, cluster_id: str = AKS, version: str | None = None, **settings: str) -> Any:
        """Install the extension and wait for its operation; returns the body of the last poll."""
        properties: dict[str, Any] = {
            "extensionType": "Microsoft.AzureML.Kubernetes",
            "configurationSettings": settings or {"enableTraining": "True"},
            **({"version": version} if version else {}),
        }
        response = self.arm("PUT", f"{cluster_id}/{EXTENSION}", {"properties": properties})
        if response.status >= 400:
            return response.body
        return self.follow(response)

    def follow(self, response: Response) -> Any:
        """The body of the last poll of an operation."""
        for _ in range(400):
            poll = self.arm("GET", response.headers["Azure-AsyncOperation"]).body
            if poll["status"] in ("Succeeded", "Failed", "Canceled"):
                return poll
            self._do(asyncio.sleep(0.02))
        raise AssertionError("the operation does not end")

    async def _send(
        self, method: str, url: str, token: str, body: Any, query: Mapping[str, str], proxy: str | None = None
    ) -> Response:
        connector = aiohttp.TCPConnector(ssl=self._authority.client_context())
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        options: Any = {"params": query or None, "json": body, "allow_redirects": False, "proxy": proxy}
        async with (
            aiohttp.ClientSession(connector=connector, headers=headers) as session,
            session.request(method, _url(url), **options) as response,
        ):
            return Response(response.status, response.headers.copy(), await response.text())

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


def _url(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


@contextmanager
def sandbox(folder: Path, seconds: float = 0, **world: Any) -> Iterator[InProcess]:
    """A sandbox of the scenarios' world with some of its keys replaced; clusters are merged by name."""
    from tests.scenarios.runner import merged

    folder.mkdir(parents=True, exist_ok=True)
    content = merged(yaml.safe_load(BASE.read_text(encoding="utf-8")), world)
    (folder / "world.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    authority = Authority(folder)
    try:
        starting = server.start(load(folder / "world.yaml"), folder, seconds, authority, lambda line: None)
        started = asyncio.run_coroutine_threadsafe(starting, loop).result(60)
        try:
            yield InProcess(started, folder, authority, loop)
        finally:
            asyncio.run_coroutine_threadsafe(started.stop(), loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
