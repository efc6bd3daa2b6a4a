"""The evidence detects errors: each of these changes of the sandbox is found; unchanged it has no differences."""

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
from tests.contract.raw_client import RawClient
from tests.contract.verified import count_verified
from tools import descriptions


@dataclass(frozen=True)
class Mutation:
    """A change of one file of the sandbox: the text before and after."""

    name: str
    file: str
    before: str
    after: str


EXTENSIONS = "azure/kubernetes_configuration/extensions.py"
COMPUTES = "azure/machine_learning_services/computes.py"
INSTALLATION = "azure/kubernetes_configuration/installation.py"
DEPLOYMENTS = "azure/deployments"
COMPONENTS = "azure/kubernetes_configuration/components.py"
PODS = "kubernetes/pod_admission.py"
WEBHOOKS = "kubernetes/webhooks.py"
MUTATIONS = [
    Mutation("a field of an extension is renamed", EXTENSIONS, '"currentVersion": version or', '"runningVersion": version or'),
    Mutation("a new extension returns 200", EXTENSIONS, "201 if existing is None else 200, await", "200, await"),
    Mutation("the header of an operation is renamed", EXTENSIONS, '"Azure-AsyncOperation": polls', '"Async-Operation": polls'),
    Mutation("an operation reports InProgress", EXTENSIONS, 'start(state, ', 'start("InProgress", '),
    Mutation("a list has no nextLink", EXTENSIONS, ', "nextLink": None}', "}"),
    Mutation("the Location of a PUT is left out", EXTENSIONS, '        headers["Location"] =', '        headers["X-Location"] ='),
    Mutation("protected settings are shown", EXTENSIONS, 'dict.fromkeys(properties["configurationProtectedSettings"], "")', 'properties["configurationProtectedSettings"]'),
    Mutation("a busy extension accepts a PATCH", EXTENSIONS, '        if properties["provisioningState"] in BUSY:', "        if False:"),
    Mutation("underlyingResourceAction is not required", COMPUTES, 'if call.query.get("underlyingResourceAction") not in ("Delete", "Detach"):', "if False:"),
    Mutation("a field of a compute is renamed", COMPUTES, '"computeLocation": workspace', '"location2": workspace'),
    Mutation("a detachment returns 200", COMPUTES, "return Response(202, None, _headers", "return Response(200, None, _headers"),
    Mutation("api-version is not required", "azure/app.py", "raise missing_api_version()", 'query["api-version"] = "2024-01-01"'),
    Mutation("a field of an Arc cluster is renamed", "azure/seed.py", '"connectivityStatus": "Connected"', '"connectivity": "Connected"'),
    Mutation("a 404 of ARM has no x-ms-failure-cause", "azure/app.py", 'response.headers["x-ms-failure-cause"] = error.cause', "pass"),
]  # fmt: skip
# Changes of behaviour, and the test in the same process that must fail.
BEHAVIOURS = [
    (Mutation("an ignored version", EXTENSIONS, '"currentVersion": version or _newest', '"currentVersion": _newest'), "extension::test_a_new_extension"),
    (Mutation("automatic upgrades beside a version", EXTENSIONS, '"autoUpgradeMinorVersion", not version)', '"autoUpgradeMinorVersion", True)'), "extension::test_a_new_extension"),
    (Mutation("an identity with a type", EXTENSIONS, '"tenantId": None, "type": None}', '"tenantId": None, "type": "SystemAssigned"}'), "extension::test_a_new_extension"),
    (Mutation("no release namespace", EXTENSIONS, '{"releaseNamespace": RELEASE_NAMESPACE, **scope["cluster"]}', 'scope["cluster"]'), "extension::test_a_new_extension"),
    (Mutation("a Location at another host", EXTENSIONS, 'f"{call.base}{call.address.id}?', 'f"https://other.invalid{call.address.id}?'), "extension::test_a_new_extension"),
    (Mutation("an empty protected section replaces", EXTENSIONS, 'if changes.get("configurationProtectedSettings"):', 'if "configurationProtectedSettings" in changes:'), "extension::test_a_patch"),
    (Mutation("null removes a setting", EXTENSIONS, "if value is not None}", "}"), "extension::test_a_patch"),
    (Mutation("every region has the extension type", "azure/kubernetes_configuration/extension_types.py", "if extension_type and not is_offered", "if False and not is_offered"), "extension::test_the_extension_types"),
    (Mutation("every component in every version", COMPONENTS, "if version < version_key(self.since) or", "if False and"), "extension::test_the_components"),
    (Mutation("the relay on AKS", COMPONENTS, 'if self.cluster_type not in ("", install.cluster.type):', "if False:"), "extension::test_the_components"),
    (Mutation("no sidecars", COMPONENTS, "if component.sidecar and", "if False and"), "extension::test_pods_have"),
    (Mutation("pods without owners", COMPONENTS, '"ownerReferences": [dict(owner)]}', '}'), "extension::test_pods_have"),
    (Mutation("no healthcheck pod", INSTALLATION, "await leave_healthcheck(install, failed=False)", "pass"), "extension::test_pods_have"),
    (Mutation("components of older versions stay", INSTALLATION, "not in names:", "in ():"), "extension::test_an_update"),
    (Mutation("arm64 runs everything", INSTALLATION, 'not in ("", "amd64")', 'not in ("", "amd64", "arm64")'), "extension::test_images"),
    (Mutation("a compute PUT is an update", COMPUTES, "if old and not call.azure.world.compute_updates:", "if False:"), "extension::test_a_put_over"),
    (Mutation("the location at once", COMPUTES, 'if key != "computeLocation"}', "}"), "extension::test_a_new_compute"),
    (Mutation("one default instance type", COMPUTES, "if version_key(version) >= version_key(since)", "if True"), "extension::test_the_default_instance"),
    (Mutation("any principal type", "azure/authorization/roles.py", 'if principal_type != "ServicePrincipal" and', "if False and"), "extension::test_a_role_assignment"),
    (Mutation("labels of pools in any case", "azure/seed.py", "if pool.labels else {}", "if True else {}"), "extension::test_agent_pools"),
    (Mutation("a rejected token works again", "azure/app.py", "self._rejected_tokens.add(", "str("), "faults::test_a_rejected_token"),
    (Mutation("a lost response is a lost request", "faults.py", '    "lost-response": _lose,', ""), "faults::test_a_write"),
    (Mutation("faults never pass", "faults.py", "if fault.after < seen <= fault.after + fault.times:", "if fault.after < seen:"), "faults::test_a_read"),
    (Mutation("a redirect is followed", "faults.py", 'if fault.kind == "redirect":', "if False:"), "faults::test_a_redirect"),
    (Mutation("a quota without effect", PODS, "> parse_quantity(hard[resource])", "> parse_quantity('1E')"), "admission::test_admission"),
    (Mutation("no requirement of a quota", PODS, "if missing := [", "if missing := [][:0] and ["), "admission::test_admission"),
    (Mutation("a LimitRange without a maximum", PODS, "elif parse_quantity(limits[resource]) > parse_quantity(bound):", "elif False:"), "admission::test_admission"),
    (Mutation("no Pod Security", PODS, 'if level not in LEVELS or level == "privileged":', "if True:"), "admission::test_admission"),
    (Mutation("a missing service admits", WEBHOOKS, "if problem := backends.problem(service):", "if problem := '':"), "admission::test_admission"),
    (Mutation("every namespace is selected", WEBHOOKS, '_selects(webhook, "namespaceSelector", namespaced)', "True"), "admission::test_admission"),
    (Mutation("failures are ignored", WEBHOOKS, '"failurePolicy", "Fail") == "Ignore"', '"failurePolicy", "Fail") != "x"'), "admission::test_admission"),
    (Mutation("a dry run is stored", "kubernetes/store.py", "        if dry_run:\n            obj[", "        if False:\n            obj["), "admission::test_admission"),
    (Mutation("secrets in outputs", f"{DEPLOYMENTS}/parameters.py", "if is_secure(declaration):", "if False:"), "template_deployments::test_secrets"),
    (Mutation("no dependencies", f"{DEPLOYMENTS}/engine.py", "for other in resource.depends_on if other in done]", "for other in ()]"), "template_deployments::test_dependencies"),
    (Mutation("no preflight", f"{DEPLOYMENTS}/service.py", "        if problems:", "        if False:"), "template_deployments::test_preflight"),
    (Mutation("an endless history", f"{DEPLOYMENTS}/history.py", "= 775, 750", "= 7750, 7500"), "template_deployments::test_history"),
    (Mutation("providers are not registered", f"{DEPLOYMENTS}/engine.py", "            await self._register_providers()", "            pass"), "template_deployments::test_providers"),
    (Mutation("dry run for every webhook", WEBHOOKS, "if request.dry_run and", "if False and"), "admission::test_a_webhook_without"),
]  # fmt: skip
UNCHANGED = Mutation("nothing is changed", "azure/app.py", "import logging", "import logging")
EQUIVALENT = Mutation("only a comment is changed", "azure/app.py", "import logging", "import logging  # of requests")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def differences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """For each mutation, the differences from the expected lifecycle and from Microsoft's descriptions."""
    folder = tmp_path_factory.mktemp("mutations")
    found: dict[str, list[str]] = {}
    subscriptions: dict[str, str] = {}
    traffic = folder / "traffic.jsonl"
    for number, mutation in enumerate([UNCHANGED, EQUIVALENT, *MUTATIONS]):
        subscriptions[mutation.name] = str(uuid.UUID(int=number + 1))
        found[mutation.name] = _run_lifecycle(folder / str(number), mutation, subscriptions[mutation.name], traffic)
    validator = SHARED / "judge" / "judge"
    if validator.exists():
        known = descriptions.read(SHARED / "specs" / "specification")
        lines = [
            descriptions.at_described_version(line, known) for line in traffic.read_text(encoding="utf-8").splitlines()
        ]
        traffic.write_text("\n".join(lines), encoding="utf-8")
        lines = subprocess.run(
            [validator, traffic, Path(__file__).parent / "allowed.json"], capture_output=True, text=True, check=False
        ).stdout.splitlines()
        for name, subscription in subscriptions.items():
            found[name] += [line for line in lines if subscription in line]
    plain = {name: {GUID.sub("ID", line) for line in lines} for name, lines in found.items()}
    # The lifecycle contains invalid requests, which the descriptions reject in the unchanged sandbox too.
    return {name: plain[name] if name == UNCHANGED.name else plain[name] - plain[UNCHANGED.name] for name in plain}


def _mutate(folder: Path, mutation: Mutation) -> None:
    file = folder / "sandbox" / mutation.file
    text = file.read_text(encoding="utf-8")
    assert mutation.before in text, f"{mutation.file} has changed: {mutation.before}"
    file.write_text(text.replace(mutation.before, mutation.after), encoding="utf-8")


@pytest.mark.parametrize(("mutation", "test"), BEHAVIOURS, ids=[mutation.name for mutation, _ in BEHAVIOURS])
def test_changed_behaviour_is_found(mutation: Mutation, test: str, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("sandbox", "tests", "tools"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    _mutate(tmp_path, mutation)
    file, _, name = test.partition("::")
    command = [sys.executable, "-m", "pytest", f"tests/contract/test_{file}.py", "-k", name, "-x", "-n", "0"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]


def _run_lifecycle(folder: Path, mutation: Mutation, subscription: str, traffic: Path) -> list[str]:
    shutil.copytree(ROOT / "sandbox", folder / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    _mutate(folder, mutation)
    world = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    world["subscriptions"] = [{"id": subscription, "name": "Contract"}]
    world["clusters"] = [cluster for cluster in world["clusters"] if cluster["name"] in ("aks-poc", "minikube")]
    (folder / "world.yaml").write_text(yaml.safe_dump(world), encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(folder)}

    def sandbox(*words: Any) -> None:
        command = [sys.executable, "-m", "sandbox", *map(str, words), "--dir", str(folder / "box")]
        subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)

    sandbox("up", "--world", folder / "world.yaml", "--provisioning-seconds", "0.3", "--record", traffic)
    try:
        return RawClient(folder / "box").run()
    finally:
        sandbox("down")


@pytest.mark.timeout(300)
def test_unchanged_sandbox_has_no_differences(differences: dict[str, set[str]]) -> None:
    of_descriptions = ("request ", "response ", "no operation ")
    assert [line for line in differences[UNCHANGED.name] if not line.startswith(of_descriptions)] == []
    assert differences[EQUIVALENT.name] == set()
    count_verified("clients", "raw requests")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_changed_response_is_found(mutation: Mutation, differences: dict[str, set[str]]) -> None:
    assert differences[mutation.name]
