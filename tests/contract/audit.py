"""What an extension's and a compute's life look like on the wire, asked without any client's help.

Expected values come from recordings and Microsoft's API descriptions, not from what the client reads.
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

BESIDE = {"correlation", "environment", "location", "time", "componentName"}


@dataclass
class Reply:
    """One answer; headers in lower case, body as JSON or None."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Audit:
    """Asks the sandbox in a folder, and notes what is not as it should be."""

    folder: Path
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        self._state = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))
        self.sign_in()

    def sign_in(self) -> None:
        """Get a new token for the requests that follow."""
        form = {
            "client_id": "auditor",
            "client_secret": "x",
            "grant_type": "client_credentials",
            "scope": "any/.default",
        }
        request = urllib.request.Request(
            f"{self._state['azure']}/{self._state['tenant']}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode()
        )
        with urllib.request.urlopen(request, context=self._context) as response:
            self._token = json.loads(response.read())["access_token"]

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        """Send one request; a path or the URL of an operation."""
        url = path if path.startswith("https://") else self._state["azure"] + path
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, data, headers, method=method), context=self._context
            ) as response:
                return _reply(response.status, response)
        except urllib.error.HTTPError as error:
            return _reply(error.code, error)

    def expect(self, what: str, found: Any, wanted: Any) -> None:
        """Note a difference."""
        if found != wanted:
            self.complaints.append(f"{what}: {found!r}, not {wanted!r}")

    def run(self) -> list[str]:
        """The whole life; returns all complaints."""
        group = f"/subscriptions/{self._state['subscription']}/resourceGroups/ml-rg/providers"
        cluster = f"{group}/Microsoft.Kubernetes/connectedClusters/minikube"
        extensions = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"
        computes = f"{group}/Microsoft.MachineLearningServices/workspaces/ml-ws/computes"
        try:
            self._neighbours(group, cluster)
            self._extension(extensions)
            self._compute(computes, cluster)
            self._removal(extensions)
        except (KeyError, TypeError, AttributeError) as error:
            self.complaints.append(f"an answer lacks {error}")
        return self.complaints

    def _neighbours(self, group: str, cluster: str) -> None:
        self.expect("no api-version", self.ask("GET", cluster).status, 400)
        found = self.ask("GET", f"{cluster}?api-version=2024-01-01")
        self.expect("connectivity", found.body["properties"]["connectivityStatus"], "Connected")
        absent = self.ask("GET", f"{cluster}x?api-version=2024-01-01")
        self.expect("absent cluster", (absent.status, absent.headers.get("x-ms-failure-cause")), (404, "gateway"))
        aks = f"{group}/Microsoft.ContainerService/managedClusters/aks-poc"
        keys = self.ask("POST", f"{aks}/listClusterUserCredential?api-version=2024-09-01")
        self.expect("credentials", (keys.status, set(keys.body["kubeconfigs"][0])), (200, {"name", "value"}))

    def _extension(self, extensions: str) -> None:
        one = f"{extensions}/audited?api-version=2023-05-01"
        absent = self.ask("GET", one)
        self.expect("absent extension", (absent.status, "x-ms-failure-cause" in absent.headers), (404, False))
        made = self.ask("PUT", one, EXTENSION)
        self.expect("a new extension", made.status, 201)
        self.expect("its state", made.body["properties"]["provisioningState"], "Creating")
        self.expect("its secrets", made.body["properties"]["configurationProtectedSettings"], {"hidden": ""})
        self.expect("its version", made.body["properties"]["version"], None)
        self.expect("both headers", {"azure-asyncoperation", "location"} <= set(made.headers), True)
        busy = self.ask("PATCH", one, {"properties": {"configurationSettings": {"a": "b"}}})
        self.expect("a busy one", (busy.status, busy.body["error"]["code"]), (409, "ExtensionPatchFailed"))
        states = self._follow(made)
        self.expect("its words", set(states), {"Creating", "Succeeded"})
        listed = self.ask("GET", f"{extensions}?api-version=2023-05-01")
        self.expect("a list", sorted(listed.body), ["nextLink", "value"])

    def _compute(self, computes: str, cluster: str) -> None:
        one = f"{computes}/audited?api-version=2024-10-01"
        inner = {"computeType": "Kubernetes", "resourceId": cluster, "properties": {"namespace": "default"}}
        made = self.ask("PUT", one, {"location": "eastus", "properties": inner})
        self.expect("a new compute", made.status, 201)
        self.expect(
            "its one header", ("azure-asyncoperation" in made.headers, "location" in made.headers), (True, False)
        )
        self.expect("its words", set(self._follow(made)), {"InProgress", "Succeeded"})
        self.expect("a list of computes", sorted(self.ask("GET", f"{computes}?api-version=2024-10-01").body), ["value"])
        silent = self.ask("DELETE", one)
        self.expect("a removal that does not say how", silent.status, 400)
        self.expect("the envelope of its refusal", set(silent.body["error"]) >= ENVELOPE, True)
        self.expect("what stands beside it", set(silent.body), {"error", *BESIDE})
        gone = self.ask("DELETE", f"{one}&underlyingResourceAction=Detach")
        self.expect("a detachment", (gone.status, gone.body), (202, None))
        self._follow(gone)
        self.expect("what is detached", self.ask("GET", one).status, 404)

    def _removal(self, extensions: str) -> None:
        one = f"{extensions}/audited?api-version=2023-05-01"
        gone = self.ask("DELETE", one)
        self.expect("a removal", (gone.status, gone.body, "location" in gone.headers), (202, None, False))
        self.expect("its words", set(self._follow(gone)), {"Deleting", "Succeeded"})
        self.expect("what is removed twice", self.ask("DELETE", one).status, 204)

    def _follow(self, reply: Reply) -> list[str]:
        url, states, deadline = reply.headers["azure-asyncoperation"], [], time.monotonic() + 20
        while time.monotonic() < deadline:
            states.append(self.ask("GET", url).body["status"])
            if states[-1] in ("Succeeded", "Failed", "Canceled"):
                break
            time.sleep(0.05)
        return states


def _reply(status: int, response: Any) -> Reply:
    text = response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(status, headers, json.loads(text) if text else None)
