"""Real answers and examples that nobody here wrote pass through show, list and the error printer unharmed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sandbox.tls import Authority
from tests.conftest import SHARED
from tests.scenarios.stage import Scene, Stage

EXAMPLES = ("specs/specification/machinelearningservices", "corpus/computes")
IN_WORKSPACE = ["-g", "ml-rg", "-w", "ml-ws"]
COMPUTES = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes"
# What the sandbox and az themselves say of a resource; all else is the example's.
NOT_OF_THE_EXAMPLE = ("id", "name", "type", "resourceGroup", "studioUrl", "location")


def examples() -> list[dict[str, Any]]:
    """Every compute in an answer of the specifications and of the corpus."""
    files = [file for folder in EXAMPLES for file in sorted((SHARED / folder).rglob("*.json"))]
    found = [
        compute
        for file in files
        for compute in _computes(json.loads(file.read_text(encoding="utf-8")).get("responses"))
    ]
    return [compute for index, compute in enumerate(found) if compute not in found[:index]]


def _computes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for compute in value:
            yield from _computes(compute)
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict) and "computeType" in value["properties"] and "name" in value:
            yield value
        for compute in value.values():
            yield from _computes(compute)


@pytest.fixture(scope="module")
def scene(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A workspace that has all the examples as computes, named example-a, example-b and so on."""
    told = [
        {**example, "name": f"ml-ws/{_name(index)}", "group": "ml-rg", "type": "Microsoft.MachineLearningServices/workspaces/computes"}
        for index, example in enumerate(examples())
    ]  # fmt: skip
    for compute in told:
        compute.pop("id", None)
    stage = Stage(tmp_path_factory.mktemp("stage"))
    with stage.scene({"resources": told}, tmp_path_factory.mktemp("scene"), 0) as scene:
        yield scene
    stage.end()


def _name(index: int) -> str:
    return f"example-{chr(ord('a') + index)}"


def _its_own(compute: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in compute.items() if key not in NOT_OF_THE_EXAMPLE}


def test_there_are_examples(shared: Path) -> None:
    kinds = {example["properties"]["computeType"] for example in examples()}
    assert len(examples()) >= 8
    assert {"Kubernetes", "AKS", "AmlCompute", "ComputeInstance"} <= kinds


def test_every_example_is_listed_whole(scene: Scene, tmp_path: Path) -> None:
    """As JSON nothing is dropped or changed but secrets; as a table each has a row."""
    said = scene.az(["amlk8s", "compute", "list", *IN_WORKSPACE, "--all"], tmp_path)
    assert said.code == 0, said.err
    shown = {compute["name"]: compute for compute in said.json}
    for index, example in enumerate(examples()):
        assert _its_own(shown[_name(index)]) == _its_own(example)
    table = scene.az(["amlk8s", "compute", "list", *IN_WORKSPACE, "--all", "-o", "table"], tmp_path)
    assert table.code == 0, table.err
    assert len(table.out.splitlines()) == len(examples()) + 2


def test_only_kubernetes_is_listed_by_default(scene: Scene, tmp_path: Path) -> None:
    said = scene.az(["amlk8s", "compute", "list", *IN_WORKSPACE], tmp_path)
    wanted = [_name(i) for i, example in enumerate(examples()) if example["properties"]["computeType"] == "Kubernetes"]
    assert [compute["name"] for compute in said.json] == wanted
    assert wanted


def test_every_example_is_shown_whole(scene: Scene, tmp_path: Path) -> None:
    for index, example in enumerate(examples()):
        said = scene.az(["amlk8s", "compute", "show", *IN_WORKSPACE, "-n", _name(index)], tmp_path)
        assert said.code == 0, said.err
        assert _its_own(said.json) == _its_own(example)
        table = scene.az(["amlk8s", "compute", "show", *IN_WORKSPACE, "-n", _name(index), "-o", "table"], tmp_path)
        assert (table.code, table.err) == (0, "")


def recordings() -> list[str]:
    return sorted(file.stem for file in (SHARED / "recordings" / "errors").glob("*.json")) or ["none"]


class Replay(ThreadingHTTPServer):
    """Answers every request as it was once answered."""

    recorded: dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    server: Replay

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        real = self.server.recorded["response"]
        data = json.dumps(real["body"]).encode()
        self.send_response(real["status"]["code"])
        kept = {
            key: value for key, value in real["headers"].items() if key not in ("content-length", "transfer-encoding")
        }
        ids = {"x-ms-request-id": "of-the-request", "x-ms-correlation-request-id": "of-the-correlation"}
        for name, value in {**ids, **kept, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def replay(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Any, Any]]]:
    """Replays a recording over a real socket; returns a client for it, and what was recorded."""
    from azure.core.credentials import AccessToken

    from azext_amlk8s.azure.rest_client import RestClient

    class Anybody:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("token", int(time.time()) + 3600)

    authority = Authority(tmp_path_factory.mktemp("tls"))
    server = Replay(("127.0.0.1", 0), Handler)
    server.socket = authority.server_context().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def start(name: str) -> tuple[Any, Any]:
        server.recorded = json.loads((shared / "recordings" / "errors" / f"{name}.json").read_text(encoding="utf-8"))
        base = f"https://localhost:{server.server_port}"
        client = RestClient(Anybody(), base, connection_verify=str(authority.ca_file), retry_total=0)
        return client, server.recorded["response"]

    yield start
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", recordings())
def test_a_recorded_answer_passes(name: str, replay: Any, caplog: Any) -> None:
    """A refusal is printed with code, message and both ids, without a traceback; what is no refusal is shown whole."""
    from azure.cli.core.util import handle_exception

    from azext_amlk8s.cli.compute import compute_row, compute_rows
    from azext_amlk8s.compute_view import add_studio_url, redact_compute
    from azext_amlk8s.knowledge.clouds import find_cloud
    from azext_amlk8s.operations.boundary import error_boundary

    client, real = replay(name)
    try:
        with error_boundary():
            body = client.send("GET", COMPUTES, "2024-10-01").json()
    except Exception as error:
        assert real["status"]["code"] >= 400
        assert handle_exception(error) in (1, 3)
        said = caplog.text
        assert real["body"]["error"]["code"] in said
        assert " ".join(real["body"]["error"]["message"].split())[:60] in " ".join(said.split())
        assert "Traceback" not in said
        return
    assert real["status"]["code"] < 400
    shown = add_studio_url(redact_compute(body), find_cloud())
    assert {key: value for key, value in shown.items() if key != "studioUrl"} == real["body"]
    assert [{name: value for name, value in row.items() if name != "Type"} for row in compute_rows([body])] == [
        compute_row(body)
    ]


@pytest.mark.parametrize("name", recordings())
def test_a_recorded_error_is_printed_when_an_operation_ends_in_it(name: str, replay: Any) -> None:
    """The deepest message is printed once, below its causes, with the IDs of request and correlation."""
    from azure.core.exceptions import HttpResponseError
    from azure.mgmt.core.exceptions import ARMErrorFormat

    from azext_amlk8s.diagnosis import unfold_error
    from azext_amlk8s.operations.failure_context import operation_failed

    client, real = replay(name)
    if "error" not in real["body"]:
        return
    try:
        response = client.send("GET", COMPUTES, "2024-10-01")
    except HttpResponseError as refused:
        response = refused.response
    told = str(
        operation_failed("Attaching c", HttpResponseError(response=response, error_format=ARMErrorFormat), (), [])
    )
    deepest = unfold_error(real["body"])[0]
    assert told.startswith("Attaching c failed.\n")
    assert told.count(f"\n  ({deepest.code}) {deepest.message}") == 1
    ids = real["headers"].get("x-ms-request-id", "of-the-request"), real["headers"].get("x-ms-correlation-request-id", "of-the-correlation")  # fmt: skip
    assert f"Request ID: {ids[0]}\n  Correlation ID: {ids[1]}" in told
