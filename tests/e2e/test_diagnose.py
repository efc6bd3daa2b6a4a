"""The diagnosis for a support case: its contents, without secrets, and its page in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.runner import merged
from tests.scenarios.stage import Stage

# Each stands somewhere in Azure or in the cluster, under the name of where it lies.
SECRETS = {
    "variable of a container": "Env-Value-9f8e7d",
    "variable in the copy that kubectl keeps": "Applied-Value-1a2b3c",
    "argument of a container": "Arg-Value-4d5e6f",
    "argument after its option": "Option-Value-7a8b9c",
    "key in a config map": "Map-Key-0d1e2f",
    "connection string in a config map": "RootKeyShared3a4b5c=",
    "kubeconfig in a config map": "Kube-Token-6d7e8f",
    "private key in a config map": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "proxy with a password": "Proxy-Pass-9a0b1c",
    "signature in a log": "Sig-Value-2d3e4f",
    "bearer token in a log": "Bearer-Value-5a6b7c8d",
    "web token in a log": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl",
    "password in the health report": "Report-Pass-8e9f0a",
    "account key in an event": "EventAccountKey1b2c3d4e5f==",
    "secret setting in the open section": "Plain-Conn-6a7b8c",
    "protected setting": "Protected-Value-9d0e1f",
    "property of the cluster": "Admin-Pass-2a3b4c",
    "release of Helm": "SGVsbS1SZWxlYXNlLTVkNmU3Zg",
}
S = SECRETS
APPLIED = json.dumps(
    {"spec": {"containers": [{"env": [{"name": "K", "value": S["variable in the copy that kubectl keeps"]}]}]}}
)
LOG = "\n".join(
    [
        f"GET https://x.blob.core.windows.net/c?sv=1&sig={S['signature in a log']}",
        f"Authorization: Bearer {S['bearer token in a log']}",
        f"claims {S['web token in a log']}",
        "this line may be read",
    ]
)
OBJECTS: list[dict[str, Any]] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "azureml"}},
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "gateway-1",
            "namespace": "azureml",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": APPLIED, "sandbox/log": LOG},
        },
        "spec": {
            "nodeName": "aks-nodepool1-0",
            "containers": [
                {
                    "name": "gateway",
                    "image": "<b>gateway</b>&",
                    "env": [
                        {"name": "PLAIN", "value": S["variable of a container"]},
                        {"name": "HTTPS_PROXY", "value": f"http://me:{S['proxy with a password']}@proxy:3128"},
                    ],
                    "args": [f"--sas-token={S['argument of a container']}", "--password", S["argument after its option"]],
                }
            ],
        },
        "status": {
            "phase": "Running",
            "containerStatuses": [
                {"name": "gateway", "image": "g", "imageID": "", "ready": False, "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off <script>alert(1)</script>"}}}
            ],
        },
    },
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "arcml-healthcheck", "namespace": "azureml"},
        "data": {
            "reports-pre-install": f"Status: Failed Name: service ErrorCode: E40001 ErrorMessage: x password={S['password in the health report']}\n",
            "storageAccountKey": S["key in a config map"],
            "relay": f"Endpoint=sb://r/;SharedAccessKeyName=azureml_rw;SharedAccessKey={S['connection string in a config map']}",
            "config": f"apiVersion: v1\nkind: Config\nusers:\n- user:\n    token: {S['kubeconfig in a config map']}\n",
            "key": f"-----BEGIN PRIVATE KEY-----\n{S['private key in a config map']}\n-----END PRIVATE KEY-----\n",
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "azureml"},
        "involvedObject": {"kind": "Pod", "name": "gateway-1", "namespace": "azureml"},
        "type": "Warning",
        "reason": "FailedMount",
        "message": f"mount failed: AccountKey={S['account key in an event']}",
    },
    {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": "sh.helm.release.v1.ext.v1", "namespace": "azureml", "labels": {"owner": "helm", "name": "ext", "status": "deployed"}},
        "data": {"release": S["release of Helm"]},
    },
    *(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "azureml"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}, "status": {"replicas": 1, "readyReplicas": ready}}
        for name, ready in (("gateway", 0), ("aml-operator", 1))
    ),
]  # fmt: skip
WORLD: dict[str, Any] = {
    "clusters": [
        {
            "name": "aks",
            "pools": [{"name": "nodepool1", "count": 12}],
            "properties": {"windowsProfile": {"adminUsername": "azureuser", "adminPassword": S["property of the cluster"]}},
            "objects": OBJECTS,
        }
    ],
    "resources": [
        {
            "name": "ext",
            "group": "ml-rg",
            "type": "Microsoft.KubernetesConfiguration/extensions",
            "scope": "Microsoft.ContainerService/managedClusters/aks",
            "properties": {
                "extensionType": "microsoft.azureml.kubernetes",
                "provisioningState": "Failed",
                "configurationSettings": {"enableTraining": "True", "relayServerConnectionString": S["secret setting in the open section"]},
                "configurationProtectedSettings": {"scoringFe.sslKey": S["protected setting"]},
                "statuses": [{"code": "InstallationFailed", "message": "failed pre-install: pod healthcheck failed"}],
            },
        }
    ],
}  # fmt: skip
COMMAND = ["amlk8s", "extension", "diagnose", "-g", "ml-rg", "-c", "aks", "-t", "managedClusters", "--output-folder"]


@dataclass(frozen=True)
class Bundle:
    """The output and the files of the command."""

    said: Any
    folder: Path

    def files(self) -> dict[str, str]:
        """The files of the archive, as text."""
        with zipfile.ZipFile(self.folder / "diagnosis.zip") as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.end()


@pytest.fixture(scope="module")
def bundle(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    work = tmp_path_factory.mktemp("work")
    with stage.scene(merged({}, WORLD), work, 0) as scene:
        said = scene.az([*COMMAND, str(work / "out")], work)
    assert said.code == 0, said.err
    (folder,) = (work / "out").iterdir()
    return Bundle(said, folder)


@pytest.mark.parametrize("where", SECRETS)
def test_diagnosis_has_no_secret(where: str, bundle: Bundle) -> None:
    """Neither in the archive, nor in its page, nor in the output of the command."""
    secret = SECRETS[where]
    texts = {**bundle.files(), "page": (bundle.folder / "summary.html").read_text(), "out": bundle.said.out, "err": bundle.said.err}  # fmt: skip
    assert [name for name, text in texts.items() if secret in text] == []
    assert secret.encode() not in (bundle.folder / "diagnosis.zip").read_bytes()


def test_other_values_are_kept(bundle: Bundle) -> None:
    files = bundle.files()
    assert json.loads(files["extensions.json"])[0]["properties"]["configurationSettings"]["enableTraining"] == "True"
    assert "this line may be read" in files["logs/gateway-1.gateway.log"]
    assert "SharedAccessKeyName=azureml_rw" in files["health.json"] or "SharedAccessKeyName" in files["health.json"]
    assert "E40001" in files["health/reports-pre-install.txt"]
    (pod,) = json.loads(files["pods.json"])
    assert pod["spec"]["containers"][0]["env"][0] == {"name": "PLAIN", "value": "***"}


def test_contents(bundle: Bundle) -> None:
    """Azure's view, the cluster's, the report with its findings, the logs."""
    expected = {"report.json", "cluster.json", "extensions.json", "nodes.json", "pods.json", "events.json", "health.json", "controllers.json", "summary.html"}  # fmt: skip
    assert expected <= set(bundle.files())
    result = json.loads(bundle.said.out)
    assert set(result["files"]) == set(bundle.files())
    report = json.loads(bundle.files()["report.json"])
    assert {"K402", "K403", "K501", "K504"} <= {finding["id"] for finding in report["findings"]}


def test_only_the_owner_can_read_it(bundle: Bundle) -> None:
    assert stat.S_IMODE(bundle.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in bundle.folder.iterdir()} == {0o600}
    with zipfile.ZipFile(bundle.folder / "diagnosis.zip") as archive:
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o600}


def test_page_needs_no_network(bundle: Bundle) -> None:
    """No script, no external resource; texts of objects are escaped."""
    page = (bundle.folder / "summary.html").read_text()
    assert "<script" not in page
    assert "src=" not in page and "@import" not in page and "<link" not in page
    assert "back-off &lt;script&gt;" in page


def test_each_diagnosis_has_a_new_folder(stage: Stage, tmp_path: Path) -> None:
    with stage.scene({}, tmp_path, 0) as scene:
        for _ in range(2):
            assert scene.az([*COMMAND, "out"], tmp_path).code == 0
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_folder_that_cannot_be_created(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with stage.scene({}, tmp_path, 0) as scene:
        said = scene.az([*COMMAND, "file"], tmp_path)
    assert (said.code, said.out) == (1, "")
    assert "Cannot create a folder in" in said.err and "Traceback" not in said.err


def test_no_folder_remains_when_azure_is_unreachable(stage: Stage, tmp_path: Path) -> None:
    with stage.scene({}, tmp_path, 0) as scene:
        said = scene.az([*COMMAND[:-1], "--subscription", "no-such-subscription", "--output-folder", "out"], tmp_path)
    assert said.code != 0 and "Traceback" not in said.err
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


# In a real browser.


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium is installed")
    return found


def browse(chromium: str, profile: Path, *words: str) -> str:
    """The output of Chromium, without network except for the page itself."""
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        "--proxy-server=127.0.0.1:9",
    ]
    done = subprocess.run([chromium, *options, *words], text=True, capture_output=True, timeout=120, check=True, env={**os.environ, "HOME": str(profile)})  # fmt: skip
    return done.stdout


def test_page_in_a_browser(chromium: str, bundle: Bundle, tmp_path: Path) -> None:
    """The browser finds the verdict, the component matrix and the picture of the nodes where a reader looks for them."""
    page = (bundle.folder / "summary.html").as_uri()
    dom = browse(chromium, tmp_path, "--dump-dom", page)
    assert "aks is not healthy" in dom
    rows = dom.split('id="components"')[1].split("</table>")[0]
    assert rows.count("<tr") == 10  # a heading and the nine components of training on AKS
    assert "gateway" in rows and "not ready" in rows and "missing" in rows
    assert dom.count("<svg") == 2
    assert "aks-nodepool1-11" in dom.split('id="nodes"')[1]
    assert "ERR_" not in dom


def test_page_is_drawn(chromium: str, bundle: Bundle, tmp_path: Path) -> None:
    """A screenshot has the colours of the bars and of the errors."""
    picture = tmp_path / "page.png"
    browse(chromium, tmp_path, f"--screenshot={picture}", "--window-size=1100,6000", (bundle.folder / "summary.html").as_uri())  # fmt: skip
    content = picture.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    colours = _colours(content)
    assert {(0xFF, 0xEB, 0xEE), (0xC8, 0xE6, 0xC9)} <= colours


def _colours(png: bytes) -> set[tuple[int, ...]]:
    """The colours of a PNG of eight bits a channel, without interlacing."""
    import struct
    import zlib

    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    raw, stride, found = zlib.decompress(data), width * size, set()
    before = bytearray(stride)
    for row in range(height):
        line = bytearray(raw[row * (stride + 1) + 1 : (row + 1) * (stride + 1)])
        _unfilter(raw[row * (stride + 1)], line, before, size)
        if row % 3 == 0:
            found |= {tuple(line[x : x + 3]) for x in range(0, stride, size * 3)}
        before = line
    return found


def _unfilter(kind: int, line: bytearray, before: bytearray, size: int) -> None:
    for x in range(len(line)):
        left, up = line[x - size] if x >= size else 0, before[x]
        corner = before[x - size] if x >= size else 0
        if kind == 1:
            line[x] = (line[x] + left) & 255
        elif kind == 2:
            line[x] = (line[x] + up) & 255
        elif kind == 3:
            line[x] = (line[x] + (left + up) // 2) & 255
        elif kind == 4:
            guess = left + up - corner
            near = min((left, up, corner), key=lambda item: abs(guess - item))
            line[x] = (line[x] + near) & 255
