"""The lifecycle of an extension and of a compute over plain HTTP, without any client.

Expected values come from recordings and Microsoft's API descriptions, not from what the extension reads.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXTENSION = {
    "properties": {
        "extensionType": "microsoft.azureml.kubernetes",
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
        "configurationSettings": {"enableTraining": "True"},
        "configurationProtectedSettings": {"hidden": "s3cret"},
    }
}
ENVELOPE = {"severity", "messageFormat", "messageParameters", "referenceCode", "detailsUri", "innerError", "debugInfo"}

EXTRA_KEYS = {"correlation", "environment", "location", "time", "componentName"}


@dataclass
class Response:
    """A response: headers in lower case, body as JSON or None."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class RawClient:
    """Sends requests to the sandbox in a folder, and collects the differences from expected responses."""

    folder: Path
    differences: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        self._state = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        self.sign_in()

    def sign_in(self) -> None:
        """Get a new token for the requests that follow."""
        form = {
            "client_id": "raw-client",
            "client_secret": "x",
            "grant_type": "client_credentials",
            "scope": "any/.default",
        }
        request = urllib.request.Request(
            f"{self._state['azure']}/{self._state['tenant']}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode()
        )
        with urllib.request.urlopen(request, context=self._context) as response:
            self._token = json.loads(response.read())["access_token"]

    def send(self, method: str, path: str, body: Any = None) -> Response:
        """Send one request; a path or the URL of an operation."""
        url = path if path.startswith("https://") else self._state["azure"] + path
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), context=self._context
            ) as response:
                return _response(response.status, response)
        except urllib.error.HTTPError as error:
            return _response(error.code, error)

    def expect(self, name: str, actual: Any, expected: Any) -> None:
        """Collect a difference."""
        if actual != expected:
            self.differences.append(f"{name}: {actual!r}, not {expected!r}")

    def run(self) -> list[str]:
        """Run the whole lifecycle. Returns all differences."""
        group = f"/subscriptions/{self._state['subscription']}/resourceGroups/ml-rg/providers"
        cluster = f"{group}/Microsoft.Kubernetes/connectedClusters/minikube"
        extensions = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"
        computes = f"{group}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes"
        try:
            self._clusters(group, cluster)
            self._extension(extensions)
            self._compute(computes, cluster)
            self._delete_extension(extensions)
        except (KeyError, TypeError, AttributeError) as error:
            self.differences.append(f"a response lacks {error}")
        return self.differences

    def _clusters(self, group: str, cluster: str) -> None:
        self.expect("no api-version", self.send("GET", cluster).status, 400)
        existing = self.send("GET", f"{cluster}?api-version=2024-01-01")
        self.expect("connectivity", existing.body["properties"]["connectivityStatus"], "Connected")
        absent = self.send("GET", f"{cluster}x?api-version=2024-01-01")
        self.expect("absent cluster", (absent.status, absent.headers.get("x-ms-failure-cause")), (404, "gateway"))
        aks = f"{group}/Microsoft.ContainerService/managedClusters/aks-poc"
        keys = self.send("POST", f"{aks}/listClusterUserCredential?api-version=2024-09-01")
        self.expect("credentials", (keys.status, set(keys.body["kubeconfigs"][0])), (200, {"name", "value"}))

    def _extension(self, extensions: str) -> None:
        path = f"{extensions}/checked?api-version=2023-05-01"
        absent = self.send("GET", path)
        self.expect("absent extension", (absent.status, "x-ms-failure-cause" in absent.headers), (404, False))
        created = self.send("PUT", path, EXTENSION)
        self.expect("status of a new extension", created.status, 201)
        self.expect("state of a new extension", created.body["properties"]["provisioningState"], "Creating")
        self.expect(
            "secrets of a new extension", created.body["properties"]["configurationProtectedSettings"], {"hidden": ""}
        )
        self.expect("version of a new extension", created.body["properties"]["version"], None)
        self.expect("headers of a new extension", {"azure-asyncoperation", "location"} <= set(created.headers), True)
        busy = self.send("PATCH", path, {"properties": {"configurationSettings": {"a": "b"}}})
        self.expect(
            "PATCH of a busy extension", (busy.status, busy.body["error"]["code"]), (409, "ExtensionPatchFailed")
        )
        states = self._follow(created)
        self.expect("states of the operation", set(states), {"Creating", "Succeeded"})
        listed = self.send("GET", f"{extensions}?api-version=2023-05-01")
        self.expect("list of extensions", sorted(listed.body), ["nextLink", "value"])

    def _compute(self, computes: str, cluster: str) -> None:
        path = f"{computes}/checked?api-version=2024-10-01"
        inner = {"computeType": "Kubernetes", "resourceId": cluster, "properties": {"namespace": "default"}}
        created = self.send("PUT", path, {"location": "eastus", "properties": inner})
        self.expect("status of a new compute", created.status, 201)
        self.expect(
            "headers of a new compute",
            ("azure-asyncoperation" in created.headers, "location" in created.headers),
            (True, False),
        )
        self.expect("states of the operation", set(self._follow(created)), {"InProgress", "Succeeded"})
        self.expect("list of computes", sorted(self.send("GET", f"{computes}?api-version=2024-10-01").body), ["value"])
        incomplete = self.send("DELETE", path)
        self.expect("DELETE without underlyingResourceAction", incomplete.status, 400)
        self.expect("envelope of its error", set(incomplete.body["error"]) >= ENVELOPE, True)
        self.expect("keys beside its error", set(incomplete.body), {"error", *EXTRA_KEYS})
        deleted = self.send("DELETE", f"{path}&underlyingResourceAction=Detach")
        self.expect("DELETE with Detach", (deleted.status, deleted.body), (202, None))
        self._follow(deleted)
        self.expect("GET of a detached compute", self.send("GET", path).status, 404)

    def _delete_extension(self, extensions: str) -> None:
        path = f"{extensions}/checked?api-version=2023-05-01"
        deleted = self.send("DELETE", path)
        self.expect(
            "DELETE of an extension", (deleted.status, deleted.body, "location" in deleted.headers), (202, None, False)
        )
        self.expect("states of the operation", set(self._follow(deleted)), {"Deleting", "Succeeded"})
        self.expect("second DELETE of an extension", self.send("DELETE", path).status, 204)

    def _follow(self, response: Response) -> list[str]:
        url, states, deadline = response.headers["azure-asyncoperation"], [], time.monotonic() + 20
        while time.monotonic() < deadline:
            states.append(self.send("GET", url).body["status"])
            if states[-1] in ("Succeeded", "Failed", "Canceled"):
                break
            time.sleep(0.05)
        return states


def _response(status: int, response: Any) -> Response:
    text = response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(status, headers, json.loads(text) if text else None)
