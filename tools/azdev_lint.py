"""Run azdev's style and linter over the extension, without a network and without `azdev setup`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# command_test_coverage is left out: it downloads its metadata.
RULE_TYPES = ["params", "commands", "command_groups", "help_entries"]
CHECKOUT = [
    "azext_amlk8s",
    "setup.py",
    "requirements.txt",
    "README.md",
    "HISTORY.rst",
    "pylintrc",
    ".flake8",
    "linter_exclusions.yml",
    "LICENSE",
]
CMDCOV_LISTS = [
    "CMD_PATTERN",
    "NUMBER_SIGN_PATTERN",
    "CLI_OWN_MODULES",
    "EXCLUDE_MODULES",
    "GLOBAL_EXCLUDE_COMMANDS",
    "EXCLUDE_COMMANDS",
    "GLOBAL_PARAMETERS",
    "GENERIC_UPDATE_PARAMETERS",
    "WAIT_CONDITION_PARAMETERS",
    "OTHER_PARAMETERS",
]
CMDCOV_WORDS = [
    "QUO_PATTERN",
    "END_PATTERN",
    "DOCS_END_PATTERN",
    "NOT_END_PATTERN",
    "RED",
    "ORANGE",
    "GREEN",
    "BLUE",
    "GOLD",
    "RED_PCT",
    "ORANGE_PCT",
    "GREEN_PCT",
    "BLUE_PCT",
    "GOLD_PCT",
    "ENCODING",
]


def main() -> int:
    """Exit code 0 only if azdev found nothing at any severity."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = prepare(Path(scratch))
        style = run(["azdev", "style", "amlk8s"], environment)
        linter = run(["azdev", "linter", "amlk8s", "--min-severity", "low", "--rule-types", *RULE_TYPES], environment)
    return 1 if style or linter else 0


def prepare(scratch: Path) -> dict[str, str]:
    """A checkout of the right name, the stub that azdev wants of azure-cli, and the environment that names both."""
    checkout = scratch / "amlk8s"
    checkout.mkdir()
    for name in CHECKOUT:
        (checkout / name).symlink_to(ROOT / name)
    subprocess.run([sys.executable, "setup.py", "--quiet", "egg_info"], cwd=checkout, check=True)
    stub = scratch / "azure-cli" / "scripts" / "ci" / "cmdcov.yml"
    stub.parent.mkdir(parents=True)
    lines = [f"{key}: [a, b, c, d]" for key in CMDCOV_LISTS] + [f"{key}: utf-8" for key in CMDCOV_WORDS]
    stub.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        **os.environ,
        "VIRTUAL_ENV": sys.prefix,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AZDEV_CLI_REPO_PATH": str(scratch / "azure-cli"),
        "AZDEV_EXT_REPO_PATHS": str(checkout),
        "AZURE_EXTENSION_DEV_SOURCES": str(checkout),
        "AZURE_CONFIG_DIR": str(scratch / "azure"),
        "AZDEV_CONFIG_DIR": str(scratch / "azdev"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
    }


def run(command: list[str], environment: dict[str, str]) -> int:
    """Run, show what was said, and count a finding of any severity as a failure; azdev counts only high ones."""
    print("+", " ".join(command), flush=True)
    done = subprocess.run(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    print(done.stdout, flush=True)
    return done.returncode or int(" FAIL - " in done.stdout)


if __name__ == "__main__":
    sys.exit(main())
