"""Look for known vulnerabilities of what the wheel installs, with pip-audit and the vulnerability service of PyPI.

The exit code is 1 where one is found. Without a network, or where the service cannot be reached, that is said and the
exit code is 0, or 1 with --required.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
MOST_SECONDS = 300


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--required", action="store_true", help="Fail where the audit cannot be run.")
    options = parser.parse_args(arguments)
    dependencies, reason = audit(REQUIREMENTS)
    audited = [dependency for dependency in dependencies if "vulns" in dependency]
    found = [line for dependency in audited for line in vulnerabilities(dependency)]
    skipped = [dependency for dependency in dependencies if dependency not in audited]
    reasons = [reason] if reason else [str(dependency["skip_reason"]) for dependency in skipped]
    shown = reasons if audited else reasons[:1]  # without the service all packages have the same reason
    print(*(f"Not audited: {reason}" for reason in shown), *found, sep="\n")
    print(f"{len(audited)} packages audited, {len(found)} known vulnerabilities.")
    return int(bool(found) or (options.required and bool(reasons)))


def audit(requirements: Path) -> tuple[list[dict[str, Any]], str]:
    """The dependencies with their vulnerabilities, as pip-audit reports them; or none, and why there is no report."""
    uvx = Path(sysconfig.get_path("scripts")) / "uvx"
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command: list[str | Path] = [uvx, "pip-audit", "-r", requirements, "--format", "json", "--output", report]
        command += ["--progress-spinner", "off", "--timeout", "10"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return [], str(error)
        if not report.exists():
            return [], next(iter(done.stderr.strip().splitlines()[-1:]), f"exit code {done.returncode}")
        dependencies: list[dict[str, Any]] = json.loads(report.read_text(encoding="utf-8"))["dependencies"]
        return dependencies, ""


def vulnerabilities(dependency: dict[str, Any]) -> list[str]:
    """A line for each vulnerability of a dependency: package, version, ID, and the versions that fix it."""
    package = f"{dependency['name']} {dependency['version']}"
    return [
        f"{package}: {vulnerability['id']}, fixed in {', '.join(vulnerability['fix_versions']) or 'no version'}"
        for vulnerability in dependency["vulns"]
    ]


if __name__ == "__main__":
    sys.exit(main())
