"""Long operations, against a server that tells a scripted story over a real socket."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sandbox.tls import Authority

RESOURCE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/c"
STATUS = "/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/l/computeOperationsStatus/1"


@dataclass
class Story:
    """What the server answers: the status documents in turn, the last one for ever; and what it was asked."""

    statuses: list[dict[str, Any]]
    headers: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    resource: dict[str, Any] = field(default_factory=lambda: {"properties": {"provisioningState": "Succeeded"}})
    asked: list[tuple[float, str, str]] = field(default_factory=list)


class Teller(ThreadingHTTPServer):
    story: Story


class Handler(BaseHTTPRequestHandler):
    server: Teller

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        here = f"https://localhost:{self.server.server_port}"
        headers = {"Azure-AsyncOperation": f"{here}{STATUS}", **self.server.story.first}
        self._say(201, {"properties": {"provisioningState": "Creating"}}, headers)

    def do_DELETE(self) -> None:
        here = f"https://localhost:{self.server.server_port}"
        self._say(202, None, {"Azure-AsyncOperation": f"{here}{STATUS}"})

    def do_GET(self) -> None:
        story = self.server.story
        if not self.path.startswith(STATUS):
            self._say(200, story.resource, {})
            return
        told = story.statuses.pop(0) if len(story.statuses) > 1 else story.statuses[0]
        self._say(int(told.get("http", 200)), told, story.headers)

    def _say(self, status: int, body: Any, headers: dict[str, str]) -> None:
        self.server.story.asked.append((time.monotonic(), self.command, self.path))
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tell(authority: Authority) -> Iterator[Callable[[Story], Any]]:
    """Starts a server that tells a story; returns a client for it."""
    from azure.core.credentials import AccessToken

    from azext_amlk8s.azure.rest_client import RestClient

    class Anybody:
        def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("token", int(time.time()) + 3600)

    server = Teller(("127.0.0.1", 0), Handler)
    server.socket = authority.server_context().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def start(story: Story) -> Any:
        server.story = story
        client = RestClient(
            Anybody(), f"https://localhost:{server.server_port}", connection_verify=str(authority.ca_file)
        )
        return client

    yield start
    server.shutdown()
    server.server_close()


def put(client: Any) -> Any:
    return client.begin("PUT", RESOURCE, "2024-10-01", body={"properties": {}})


def test_a_good_end(tell: Callable[[Story], Any]) -> None:
    """The result is the resource as it stands at the end, not as it was when it began."""
    story = Story([{"status": "InProgress"}, {"status": "Succeeded"}], resource={"name": "c", "odd": {"kept": None}})
    operation = put(tell(story))
    assert operation.started() == {"properties": {"provisioningState": "Creating"}}
    assert operation.result() == story.resource
    assert operation.done()
    assert operation.status() == "Succeeded"


def test_a_removal_has_no_result(tell: Callable[[Story], Any]) -> None:
    operation = tell(Story([{"status": "Succeeded"}])).begin("DELETE", RESOURCE, "2024-10-01")
    assert operation.started() is None
    operation.wait(20)
    assert operation.done()


@pytest.mark.parametrize("word", ["Failed", "failed", "Canceled", "Cancelled", "cancelled"])
def test_a_bad_end(word: str, tell: Callable[[Story], Any]) -> None:
    """Both spellings of cancelled end it; HTTP 200 does not make it good; the error is the service's own."""
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.operations.failure_context import operation_failed

    error = {"code": "Outer", "message": "outer", "details": [{"code": "Inner", "message": "the leaf"}]}
    operation = put(tell(Story([{"status": "InProgress"}, {"status": word, "error": error}])))
    with pytest.raises(HttpResponseError) as raised:
        operation.result()
    told = str(operation_failed("Attaching c", raised.value, (), []))
    assert "the leaf" in told


def test_retry_after_is_not_undercut(tell: Callable[[Story], Any]) -> None:
    """Where the service asks for three seconds, no poll comes sooner."""
    story = Story([{"status": "InProgress"}, {"status": "InProgress"}, {"status": "Succeeded"}], {"Retry-After": "3"})
    put(tell(story)).result()
    polls = [at for at, _, path in story.asked if path.startswith(STATUS)]
    assert len(polls) == 3
    assert all(later - sooner >= 2.9 for sooner, later in zip(polls, polls[1:], strict=False))


@pytest.mark.parametrize("dated", [False, True], ids=["seconds", "date"])
def test_a_retry_after_of_the_first_answer_is_not_undercut(dated: bool, tell: Callable[[Story], Any]) -> None:
    """The answer that takes the operation on may ask for patience too, in seconds or with a date of whole seconds."""
    wait = formatdate(time.time() + 4, usegmt=True) if dated else "3"
    story = Story([{"status": "Succeeded"}], first={"Retry-After": wait})
    put(tell(story)).result()
    began, poll = (at for at, _, path in story.asked[:2])
    assert poll - began >= 2.5


def test_it_is_asked_often_at_first_and_then_less(tell: Callable[[Story], Any]) -> None:
    """Without a Retry-After the gaps grow; a test never asserts how long they are."""
    story = Story([*[{"status": "InProgress"}] * 4, {"status": "Succeeded"}])
    put(tell(story)).result()
    polls = [at for at, _, path in story.asked if path.startswith(STATUS)]
    assert polls[-1] - polls[-2] > polls[1] - polls[0]


@dataclass
class Scripted:
    """An operation whose states and failed reads follow a script."""

    script: list[tuple[str, str]]
    answer: Any = None

    @property
    def problem(self) -> str:
        return self.script[0][1]

    def status(self) -> str:
        return self.script[0][0]

    def done(self) -> bool:
        return len(self.script) == 1

    def wait(self, _seconds: float) -> None:
        self.script.pop(0)

    def result(self) -> Any:
        return self.answer


class View:
    """Reports the same warning with each read; InstallationView returns it once."""

    def __init__(self) -> None:
        self.pending = ["2 pods cannot pull their images."]

    def text(self) -> str:
        return "pods ready 1 of 2"

    def warnings(self) -> list[str]:
        pending, self.pending = self.pending, []
        return pending


def test_each_stage_is_printed_once_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Not again after a read that failed, nor by what is followed afterwards."""
    from azure.cli.core.mock import DummyCli

    from azext_amlk8s.console.progress import follow

    states = [("Creating", ""), ("Creating", "status 503"), ("Creating", ""), ("Creating", "status 503")]
    first = Scripted([*states, ("Creating", "")], answer="unfinished")
    second: Any = Scripted([("Creating", ""), ("Succeeded", "")], answer="finished")
    seen: list[Any] = []

    def then(result: Any) -> Any:
        seen.append(result)
        return second

    cmd: Any = type("Cmd", (), {"cli_ctx": DummyCli()})
    operation: Any = first
    assert follow(cmd, operation, "Installing x", "az x", then=then, view=View()) == "finished"
    assert seen == ["unfinished"]
    lines = [line.rpartition(", ")[0] for line in capsys.readouterr().err.splitlines() if line.startswith("Install")]
    assert lines == [
        "Installing x: Creating",
        "Installing x: Creating (its state cannot be read at the moment: status 503)",
        "Installing x: Succeeded",
    ]
