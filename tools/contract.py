"""`make contract`: verify the sandbox against independent evidence, and count what was verified.

First the tests of tests/contract/; then all ARM traffic of this run and of the tests before it is compared with
Microsoft's descriptions; then every operation of our own client must have evidence or a named assumption in
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
VALIDATOR = SHARED / "judge" / "judge"
# Responses of ARM to invalid requests, which tests send on purpose and no description has.
INVALID_REQUEST = ("MissingApiVersionParameter", "InvalidResourceType", "InvalidResourceNamespace")
OUR_CLIENT = re.compile(r"amlk8s|mgmt-kubernetesconfiguration-extensions.*AZURECLI|AZURECLI.*kubernetesconfiguration")


def main() -> int:
    """Exit code 0 only if everything could be verified."""
    (TRAFFIC / "verified").unlink(missing_ok=True)
    if subprocess.run([sys.executable, "-m", "pytest", str(CONTRACT)], cwd=ROOT, check=False).returncode:
        return 1
    exchanges = [line for file in sorted(TRAFFIC.glob("*.jsonl")) for line in file.read_text().splitlines()]
    unverified = sorted(requested(exchanges) - {known_operation["operation"] for known_operation in operations()})
    for operation in unverified:
        print(f"{operation} is requested by the client, and has neither evidence nor an assumption in operations.json")
    code = compare_with_descriptions(exchanges)
    counts = Counter(kind for kind, _ in {tuple(json.loads(line)) for line in _verified()})
    print(f"verified: {len(exchanges)} exchanges, {counts['responses']} responses, {counts['clients']} clients")
    return 1 if unverified or code else 0


def operations() -> list[dict[str, Any]]:
    """The operations of the client, what verifies each, and what is assumed."""
    content: list[dict[str, Any]] = json.loads((CONTRACT / "operations.json").read_text(encoding="utf-8"))
    return content


def table(entries: list[dict[str, Any]]) -> str:
    """The same as a table for people, a row for each resource type. It ends docs/sandbox.md."""
    rows: dict[str, dict[str, list[str]]] = {}
    for entry in entries:
        method, kind = entry["operation"].split(" ", 1)
        row = rows.setdefault(kind, {"methods": [], "versions": [], "evidence": [], "assumed": []})
        row["methods"].append(method if method != "ANY" else "")
        row["versions"] = sorted({*row["versions"], *entry["versions"]})
        row["evidence"] += [source for source in entry["evidence"] if source not in row["evidence"]]
        row["assumed"] += [entry["assumed"]] if entry["assumed"] else []
    lines = ["| resource type | methods | API versions | verified by | assumed |", "|---|---|---|---|---|"]
    for kind, row in rows.items():
        cells = [kind, " ".join(row["methods"]), ", ".join(row["versions"]), ", ".join(row["evidence"])]
        lines.append(f"| {' | '.join([*cells, ' '.join(row['assumed'])])} |")
    return "\n".join(lines) + "\n"


def requested(exchanges: list[str]) -> set[str]:
    """The operations that the client requested in this traffic, such as `PUT Microsoft.X/ys`."""
    requests = (json.loads(line)["liveRequest"] for line in exchanges)
    return {
        operation(request["method"], request["url"])
        for request in requests
        if OUR_CLIENT.search(request["headers"]["user-agent"])
    }


def operation(method: str, url: str) -> str:
    """The method and the resource type of an ARM request, in the case of operations.json where it has the type."""
    path = url.split("?")[0].rstrip("/")
    if "/operationresults/" in path and "/providers/" not in path:
        path = "/providers/operationresults"  # those of ARM itself, at a subscription
    words = path.rsplit("/providers/", 1)[-1].split("/")
    named = f"{method} {'/'.join([words[0], *words[1::2]])}"
    known: dict[str, str] = {
        known_operation["operation"].lower(): known_operation["operation"] for known_operation in operations()
    }
    return known.get(named.lower(), named)


def compare_with_descriptions(exchanges: list[str]) -> int:
    """Compare the exchanges with Microsoft's descriptions, if those are beside this checkout."""
    if not VALIDATOR.exists():
        print("Microsoft's descriptions are not beside this checkout; the exchanges are not compared with them.")
        return 0
    known = descriptions.read(SHARED / "specs" / "specification")
    everything = TRAFFIC / "everything"
    comparable = [
        descriptions.at_described_version(line, known) for line in exchanges if not is_invalid_request(json.loads(line))
    ]
    everything.write_text("\n".join(comparable) + "\n", encoding="utf-8")
    return subprocess.run([VALIDATOR, everything, CONTRACT / "allowed.json"], check=False).returncode


def is_invalid_request(exchange: dict[str, Any]) -> bool:
    """Whether ARM refused the request as invalid."""
    body = exchange["liveResponse"].get("body")
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("code") in INVALID_REQUEST


def _verified() -> list[str]:
    file: Path = TRAFFIC / "verified"
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


if __name__ == "__main__":
    sys.exit(main())
