"""`make contract`: others judge the sandbox, and what was judged is counted.

The tests of tests/contract/ first; then all ARM traffic of this run and of the tests before it is held against
Microsoft's descriptions; then what our own client asked must have a judge or a named assumption in
tests/contract/operations.json.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tools import descriptions
from tools.prove_wheel import ROOT

CONTRACT, TRAFFIC, SHARED = ROOT / "tests" / "contract", ROOT / ".traffic", ROOT.parent / "shared"
JUDGE = SHARED / "judge" / "judge"
# ARM's refusals of requests that are none: no description has them, and tests ask for them on purpose.
NO_REQUEST = ("MissingApiVersionParameter", "InvalidResourceType", "InvalidResourceNamespace")
OUR_CLIENT = re.compile(r"amlk8s|mgmt-kubernetesconfiguration-extensions.*AZURECLI|AZURECLI.*kubernetesconfiguration")


def main() -> int:
    """Exit code 0 only if every judge is content."""
    (TRAFFIC / "tally").unlink(missing_ok=True)
    if subprocess.run([sys.executable, "-m", "pytest", str(CONTRACT)], cwd=ROOT, check=False).returncode:
        return 1
    exchanges = [line for file in sorted(TRAFFIC.glob("*.jsonl")) for line in file.read_text().splitlines()]
    unjudged = sorted(asked(exchanges) - {one["operation"] for one in operations()})
    for operation in unjudged:
        print(f"{operation} is asked by our client, and has neither a judge nor an assumption in operations.json")
    code = by_descriptions(exchanges)
    counts = Counter(kind for kind, _ in {tuple(json.loads(line)) for line in _tallied()})
    print(f"judged: {len(exchanges)} exchanges, {counts['answers']} answers, {counts['clients']} clients")
    return 1 if unjudged or code else 0


def operations() -> list[dict[str, Any]]:
    """The operations of our client, by whom each is judged, and what is assumed."""
    told: list[dict[str, Any]] = json.loads((CONTRACT / "operations.json").read_text(encoding="utf-8"))
    return told


def table(told: list[dict[str, Any]]) -> str:
    """The same as a table for people, a row for each resource type. It ends docs/sandbox.md."""
    rows: dict[str, dict[str, list[str]]] = {}
    for one in told:
        method, kind = one["operation"].split(" ", 1)
        row = rows.setdefault(kind, {"methods": [], "versions": [], "judges": [], "assumed": []})
        row["methods"].append(method if method != "ANY" else "")
        row["versions"] = sorted({*row["versions"], *one["versions"]})
        row["judges"] += [judge for judge in one["judges"] if judge not in row["judges"]]
        row["assumed"] += [one["assumed"]] if one["assumed"] else []
    lines = ["| resource type | methods | API versions | verified by | assumed |", "|---|---|---|---|---|"]
    for kind, row in rows.items():
        cells = [kind, " ".join(row["methods"]), ", ".join(row["versions"]), ", ".join(row["judges"])]
        lines.append(f"| {' | '.join([*cells, ' '.join(row['assumed'])])} |")
    return "\n".join(lines) + "\n"


def asked(exchanges: list[str]) -> set[str]:
    """The operations that our client asked for in this traffic, such as `PUT Microsoft.X/ys`."""
    requests = (json.loads(line)["liveRequest"] for line in exchanges)
    return {operation(one["method"], one["url"]) for one in requests if OUR_CLIENT.search(one["headers"]["user-agent"])}


def operation(method: str, url: str) -> str:
    """The method and the resource type of an ARM request, in the case of operations.json where it has the type."""
    words = url.split("?")[0].rstrip("/").rsplit("/providers/", 1)[-1].split("/")
    named = f"{method} {'/'.join([words[0], *words[1::2]])}"
    known: dict[str, str] = {one["operation"].lower(): one["operation"] for one in operations()}
    return known.get(named.lower(), named)


def by_descriptions(exchanges: list[str]) -> int:
    """Microsoft's descriptions, where they lie beside this checkout."""
    if not JUDGE.exists():
        print("Microsoft's descriptions do not lie beside this checkout; the exchanges are not held against them.")
        return 0
    known = descriptions.read(SHARED / "specs" / "specification")
    everything = TRAFFIC / "everything"
    held = [descriptions.held(line, known) for line in exchanges if not refused_as_none(json.loads(line))]
    everything.write_text("\n".join(held) + "\n", encoding="utf-8")
    return subprocess.run([JUDGE, everything, CONTRACT / "allowed.json"], check=False).returncode


def refused_as_none(exchange: dict[str, Any]) -> bool:
    """Whether ARM itself said that there is no such operation."""
    body = exchange["liveResponse"].get("body")
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("code") in NO_REQUEST


def _tallied() -> list[str]:
    file: Path = TRAFFIC / "tally"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
