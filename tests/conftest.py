"""What all tests share: hermetic surroundings, and no silent skip where everything is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where AMLK8S_NO_SKIPS is set a skipped test is a failure: what it wants is there."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and os.environ.get("AMLK8S_NO_SKIPS") and reporter.stats.get("skipped"):
        for report in reporter.stats["skipped"]:
            reporter.write_line(f"skipped, but nothing may be: {report.nodeid}: {report.longrepr[-1]}", red=True)
        if exitstatus == 0:
            session.exitstatus = 1


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's az nor the user's kubeconfig is looked at."""
    monkeypatch.setenv("AZURE_CONFIG_DIR", str(tmp_path / "azure"))
    monkeypatch.setenv("AZURE_CORE_COLLECT_TELEMETRY", "no")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "no-kubeconfig"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared material beside the checkout: specifications, recordings, real files."""
    if not SHARED.is_dir():
        pytest.skip("the shared material does not lie beside this checkout")
    return SHARED
