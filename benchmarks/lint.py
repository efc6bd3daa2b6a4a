"""CPU time of linting a folder of 2,000 files, most of them unrelated, in process, once everything is loaded.

    .venv/bin/python -m benchmarks.lint [ROUNDS]

Every kind of file is in it; a twentieth has something to check.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from azext_amlk8s.lint import lint
from azext_amlk8s.operations.lint import read_files
from tests.unit.lint_languages import INJECTED, compute, extension, write

BUDGET_S = 5
FILES = 2000
ONE_IN = 20
UNRELATED = {
    ".json": '{{"name": "package-{number}", "dependencies": {{{lines}"x": "1"}}}}',
    ".bicep": "param name string = 'n{number}'\n{lines}output o string = name\n",
    ".tf": 'variable "name" {{\n  default = "n{number}"\n}}\n{lines}',
    ".yaml": "kind: ConfigMap\nmetadata: {{name: c{number}}}\n{lines}",
    ".sh": "#!/bin/bash\necho {number}\n{lines}",
    ".py": "print({number})\n{lines}",
}
LINE = {
    ".json": '"package-{line}": "^1.2.{line}",\n',
    ".bicep": "var v{line} = '${{name}}-{line}'\n",
    ".tf": "# line {line} of a comment\n",
    ".yaml": "key{line}: value {line}\n",
    ".sh": "az group show --name group-{line}\n",
    ".py": "value = {line}\n",
}
LINES = 150


def main() -> None:
    """Print the median and the worst CPU time in seconds."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        create_files(Path(folder))
        times = [measure(folder) for _ in range(rounds)]
    print(f"{FILES} files {statistics.median(times):5.2f} s  worst {max(times):5.2f} s  budget {BUDGET_S} s")


def create_files(folder: Path) -> None:
    """Create the files, in folders of 50."""
    suffixes = list(UNRELATED)
    for number in range(FILES):
        suffix = suffixes[number % len(suffixes)]
        place = folder / f"part{number // 50}"
        place.mkdir(exist_ok=True)
        (place / f"file{number}{suffix}").write_text(content(number, suffix), encoding="utf-8")


def content(number: int, suffix: str) -> str:
    """The text of a file; every ONE_INth has an extension or a compute."""
    if number % ONE_IN == 0 and suffix in (".json", ".bicep", ".tf"):
        resources = [extension({**INJECTED, "enableTraining": "yes"}), compute()]
        return write({".json": "arm", ".bicep": "bicep", ".tf": "terraform"}[suffix], *resources)
    if number % ONE_IN == 0 and suffix == ".sh":
        return "az k8s-extension create --extension-type Microsoft.AzureML.Kubernetes --config enableTraining=yes\n"
    lines = "".join(LINE[suffix].format(line=line) for line in range(LINES))
    return UNRELATED[suffix].format(number=number, lines=lines)


def measure(folder: str) -> float:
    """The CPU time of one run in seconds."""
    start = time.process_time()
    lint(read_files([folder]))
    return time.process_time() - start


if __name__ == "__main__":
    main()
