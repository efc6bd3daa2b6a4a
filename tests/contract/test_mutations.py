"""The judges judge: each of these changes to the sandbox is found, and the sandbox as it is stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT, SHARED
from tests.contract.audit import Audit
from tests.contract.tally import tally
from tools import descriptions


@dataclass(frozen=True)
class Mutation:
    """A change of one file of the sandbox: what stands there, and what stands there afterwards."""

    name: str
    file: str
    before: str
    after: str


MUTATIONS = [
    Mutation("a field of an extension is renamed", "azure/extensions.py", '"currentVersion": None,', '"runningVersion": None,'),
    Mutation("a new extension is answered with 200", "azure/extensions.py", "201 if there is None else 200, await", "200, await"),
    Mutation("the header of an operation is renamed", "azure/extensions.py", '"Azure-AsyncOperation": polls', '"Async-Operation": polls'),
    Mutation("an operation says InProgress", "azure/extensions.py", 'start("Creating", ', 'start("InProgress", '),
    Mutation("a list has no nextLink", "azure/extensions.py", ', "nextLink": None}', "}"),
    Mutation("the foreign Location is left out", "azure/extensions.py", '        headers["Location"] =', '        headers["X-Location"] ='),
    Mutation("protected settings are shown", "azure/extensions.py", 'dict.fromkeys(properties["configurationProtectedSettings"], "")', 'properties["configurationProtectedSettings"]'),
    Mutation("a busy extension takes a PATCH", "azure/extensions.py", '        if properties["provisioningState"] in BUSY:', "        if False:"),
    Mutation("the way of detaching is not asked for", "azure/computes.py", 'if wanted not in ("Delete", "Detach"):', "if False:"),
    Mutation("a field of a compute is renamed", "azure/computes.py", '"computeLocation": workspace', '"location2": workspace'),
    Mutation("a detachment is answered with 200", "azure/computes.py", "return Answer(202, None, _headers", "return Answer(200, None, _headers"),
    Mutation("api-version is not asked for", "azure/app.py", "raise missing_api_version()", 'query["api-version"] = "2024-01-01"'),
    Mutation("a field of an Arc cluster is renamed", "azure/seed.py", '"connectivityStatus": "Connected"', '"connectivity": "Connected"'),
    Mutation("ARM's own 404 does not say whose it is", "azure/app.py", 'response.headers["x-ms-failure-cause"] = error.cause', "pass"),
]  # fmt: skip
SOUND = Mutation("nothing is changed", "azure/app.py", "import json", "import json")
CONTROL = Mutation("nothing that matters is changed", "azure/app.py", "import json", "import json  # for bodies")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """For each mutation, what the audit and Microsoft's descriptions complain of."""
    folder = tmp_path_factory.mktemp("mutations")
    found: dict[str, list[str]] = {}
    subscriptions: dict[str, str] = {}
    traffic = folder / "traffic.jsonl"
    for number, mutation in enumerate([SOUND, CONTROL, *MUTATIONS]):
        subscriptions[mutation.name] = str(uuid.UUID(int=number + 1))
        found[mutation.name] = _audited(folder / str(number), mutation, subscriptions[mutation.name], traffic)
    judge = SHARED / "judge" / "judge"
    if judge.exists():
        known = descriptions.read(SHARED / "specs" / "specification")
        lines = [descriptions.held(line, known) for line in traffic.read_text(encoding="utf-8").splitlines()]
        traffic.write_text("\n".join(lines), encoding="utf-8")
        said = subprocess.run(
            [judge, traffic, Path(__file__).parent / "allowed.json"], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        for name, subscription in subscriptions.items():
            found[name] += [line for line in said if subscription in line]
    plain = {name: {GUID.sub("ID", line) for line in lines} for name, lines in found.items()}
    # The audit asks for refusals on purpose, which the descriptions mind in the sandbox as it is too.
    return {name: plain[name] if name == SOUND.name else plain[name] - plain[SOUND.name] for name in plain}


def _audited(folder: Path, mutation: Mutation, subscription: str, traffic: Path) -> list[str]:
    shutil.copytree(ROOT / "sandbox", folder / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "sandbox" / mutation.file
    text = file.read_text(encoding="utf-8")
    assert mutation.before in text, f"{mutation.file} has changed: {mutation.before}"
    file.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")
    world = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    world["subscriptions"] = [{"id": subscription, "name": "Audited"}]
    world["clusters"] = [one for one in world["clusters"] if one["name"] in ("aks-poc", "minikube")]
    (folder / "world.yaml").write_text(yaml.safe_dump(world), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(folder)}

    def sandbox(*words: Any) -> None:
        command = [sys.executable, "-m", "sandbox", *map(str, words), "--dir", str(folder / "box")]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)

    sandbox("up", "--world", folder / "world.yaml", "--provisioning-seconds", "0.3", "--record", traffic)
    try:
        return Audit(folder / "box").run()
    finally:
        sandbox("down")


@pytest.mark.timeout(300)
def test_the_sandbox_as_it_is(verdicts: dict[str, set[str]]) -> None:
    by_judge = ("request ", "response ", "no operation ")
    assert [line for line in verdicts[SOUND.name] if not line.startswith(by_judge)] == []
    assert verdicts[CONTROL.name] == set()
    tally("clients", "the audit")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_change_is_found(mutation: Mutation, verdicts: dict[str, set[str]]) -> None:
    assert verdicts[mutation.name]
