"""Fixtures of all tests: isolation from the user's configuration, and skips that fail where everything is available."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support import Sandbox
from tools.demo import exports, path, sandbox
from tools.prove_wheel import install_extension

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
# The traffic between clients and the sandbox; make contract compares it with Microsoft's descriptions.
TRAFFIC = ROOT / ".traffic"

# Network namespaces, for one, are not available in every container; public files are never copied into this repository.
ALLOWED_REASONS = ("this machine does not allow", "no copy is at hand")

# A busy machine is no reason to fail: examples have no deadline.
hypothesis.settings.register_profile("amlk8s", deadline=None, max_examples=60)
hypothesis.settings.load_profile("amlk8s")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where AMLK8S_NO_SKIPS is set, a test that is skipped for any other than the allowed reasons is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("AMLK8S_NO_SKIPS"):
        for report in reporter.stats.get("skipped", ()):
            if any(reason in str(report.longrepr[-1]) for reason in ALLOWED_REASONS):
                continue
            reporter.write_line(f"not allowed to be skipped: {report.nodeid}: {report.longrepr[-1]}", red=True)
            if exitstatus == 0:
                session.exitstatus = 1


@pytest.fixture(autouse=True)
def _isolated_from_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the configuration of az nor the kubeconfig of the user is read."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    monkeypatch.setenv("AZURE_CORE_COLLECT_TELEMETRY", "no")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared material beside the checkout: specifications, recordings, real files."""
    if not SHARED.is_dir():
        pytest.skip("the shared material is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def extension_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AZURE_EXTENSION_DIR with the wheel that make built."""
    if not list((ROOT / "dist").glob("amlk8s-*.whl")):
        pytest.skip("no wheel in dist/: run make wheel first")
    config = tmp_path_factory.mktemp("extension")
    install_extension(config)
    return config / "cliextensions"


@pytest.fixture(scope="session")
def start(extension_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Sandbox]]:
    """Starts a new sandbox; all are stopped at the end."""
    folders: list[Path] = []

    def _start(*options: str) -> Sandbox:
        folder = tmp_path_factory.mktemp("sandbox")
        folders.append(folder)
        record = TRAFFIC / f"{folder.name}-{uuid.uuid4().hex[:8]}.jsonl"
        sandbox("up", "--dir", str(folder), "--record", str(record), *options)
        env = {
            **os.environ,
            **exports(sandbox("env", "--dir", str(folder))),
            "PATH": path(),
            "AZURE_EXTENSION_DIR": str(extension_dir),
        }
        return Sandbox(folder, env)

    yield _start
    for folder in folders:
        sandbox("down", "--dir", str(folder))


@pytest.fixture(scope="module")
def box(start: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox of the default world with provisioning times of one second."""
    return start("--provisioning-seconds", "1")


@pytest.fixture(scope="session")
def kubectl() -> str:
    """The path of kubectl; skips where it is not installed."""
    found = shutil.which("kubectl")
    if not found:
        pytest.skip("kubectl is not installed")
    return found
