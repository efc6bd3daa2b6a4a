"""Fuzzed: templates, scripts, setup files and reports, and what vaults, probes and Helm have written."""

from __future__ import annotations

import base64
import functools
import gzip
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st

from tests.fuzz import mutate
from tests.fuzz.inputs import SEEDS, SUBSCRIPTION, Target, changed_documents, changed_texts

VAULT = "https://my-vault.vault.azure.net"
CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ml-rg/providers/Microsoft.ContainerService/managedClusters/aks"
SETTING_PATHS = (
    "properties",
    "properties.configurationSettings.enableTraining",
    "properties.configurationProtectedSettings",
)
SUFFIXES = {
    "ARM templates": (".json", ".jsonc"),
    "Bicep": (".bicep", ".bicepparam"),
    "Terraform": (".tf", ".tfvars"),
    "pipelines and manifests": (".yaml", ".yml"),
    "scripts": (".sh", ".bash", ".ps1"),
}


@functools.cache
def _rendered() -> tuple[tuple[str, str], ...]:
    """Files that `render` writes."""
    from azext_amlk8s.rendering import Source, render_bicep, render_terraform
    from tests.unit.rendering_cases import FLEETS

    source = Source(("azureml.yaml",), SUBSCRIPTION)
    return tuple(
        file
        for fleet in FLEETS.values()
        for render in (render_bicep, render_terraform)
        for file in render(fleet, source).items()
    )


@functools.cache
def _sources(kind: str) -> tuple[tuple[str, str], ...]:
    suffixes = SUFFIXES[kind]
    return (*mutate.named_files(*suffixes), *(file for file in _rendered() if file[0].endswith(suffixes)))


def _changed_files(kind: str) -> st.SearchStrategy[tuple[str, str]]:
    def change(seed: int) -> tuple[str, str]:
        files = _sources(kind)
        name, text = files[seed % len(files)]
        return name, mutate.change_text(text, seed // 1000)

    return st.builds(change, SEEDS)


def _lint(file: tuple[str, str]) -> None:
    """Findings on a file, in every format; those of other tools must be able to read what is theirs."""
    from azext_amlk8s.console.lint_reports import FORMATS
    from azext_amlk8s.console.lint_text import lint_lines
    from azext_amlk8s.lint import SourceFile, lint
    from azext_amlk8s.operations.lint import lint_object, sort_findings
    from azext_amlk8s.printable import printable

    findings = sort_findings(lint([SourceFile(*file, is_named=True)]), strict=True)
    objects = [lint_object(finding) for finding in findings]
    lint_lines(objects)
    reports = {name: printable(write(objects)) for name, write in FORMATS.items()}
    json.loads(reports["sarif"])
    ElementTree.fromstring(reports["junit"])


def _setup_file(text: str) -> None:
    from azext_amlk8s.instance_types.documents import Text
    from azext_amlk8s.refs import ClusterRef
    from azext_amlk8s.setup_files import check_all, needs_resources, read_setups, resolve_clusters, waves_of

    setups, _ = read_setups([Text("azureml.yaml", text)], SUBSCRIPTION)
    clusters: list[Any] = []
    for setup in setups:
        needs_resources(setup)
        waves_of(setup)
        cluster = ClusterRef(SUBSCRIPTION, "ml-rg", "managedClusters", "aks")
        clusters += resolve_clusters(
            setup, [(entry, cluster, {"id": cluster.id}) for entry in setup.clusters], SUBSCRIPTION
        )[0]
    check_all(clusters)


def _compute_file(text: str) -> None:
    from azext_amlk8s.operations.compute_file import parse_compute_file

    parse_compute_file(text)


def _report(text: str) -> None:
    from azext_amlk8s.setup_files.outcomes import failed_clusters

    failed_clusters(text)


def _saved_file(text: str) -> None:
    """A plan of `plan --out`, and the record of a replacement: files that are read again later."""
    from azext_amlk8s.operations.compute_record import ReplacementRecord
    from azext_amlk8s.operations.saved_plan import is_saved_plan, raise_if_plan_changed, read_saved_plan

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(text.encode(errors="replace"))
        file.flush()
        if is_saved_plan(file.name):
            raise_if_plan_changed(read_saved_plan(file.name), {"clusters": []})
        else:
            ReplacementRecord(Path(file.name), CLUSTER).read()


def _vault_response(values: list[Any]) -> None:
    from azext_amlk8s.azure.key_vault import parse_vault_id, read_secret
    from azext_amlk8s.registered_secrets import forget_secrets
    from azext_amlk8s.settings.certificate_material import UnusableMaterial, material_from_vault

    item = parse_vault_id(f"{VAULT}/certificates/router", "vault.azure.net")
    for value in values:
        if secret := read_secret(value, item):
            try:
                material_from_vault(secret.value, secret.content_type)
            except UnusableMaterial:
                continue
    forget_secrets()


def _vault_refusal(value: Any) -> None:
    from azext_amlk8s.azure.key_vault import parse_vault_id
    from azext_amlk8s.operations.vault_refusals import explain_refusal

    body = json.dumps(value)
    error: Any = SimpleNamespace(status_code=403, message=body[:99], response=SimpleNamespace(text=lambda: body))
    explain_refusal(error, parse_vault_id(f"{VAULT}/secrets/router", "vault.azure.net"))


def _certificate_secret(values: list[Any]) -> None:
    from azext_amlk8s.operations.notice_facts import tls_secret
    from azext_amlk8s.registered_secrets import forget_secrets
    from azext_amlk8s.settings.certificate_material import UnusableMaterial, material_from_secret
    from tests.fuzz.targets import _from_cluster

    for secret in _from_cluster(values):
        tls_secret("router", secret)
        try:
            material_from_secret(secret.get("data") or {})
        except UnusableMaterial:
            continue
    forget_secrets()


def _probe_result(text: str) -> None:
    from azext_amlk8s.checks.probe import parse_result

    parse_result("pool", "node", 0, text)


def _helm_release(value: Any) -> None:
    from azext_amlk8s.operations.helm_history import chart_version, read_release, release_values, value_of

    content = value if isinstance(value, bytes) else gzip.compress(json.dumps(value).encode(), 1)
    encoded = base64.b64encode(base64.b64encode(content)).decode()
    secrets = [{"metadata": {"name": "x", "labels": {"version": "1"}}, "data": {"release": encoded}}]
    release, _ = read_release(SimpleNamespace(items=lambda path: secrets), "azureml")  # type: ignore[arg-type]
    chart_version(release)
    value_of(release_values(release), "global.extension.x")


def _what_if(values: list[Any]) -> None:
    from azext_amlk8s.rendering.what_if import compare_with_plan, read_predictions

    for value in values:
        for prediction in read_predictions(value):
            prediction.to_object()
            compare_with_plan(prediction, "update", ["enableTraining"])


def _saved_texts() -> tuple[str, ...]:
    resource = {"kind": "extension", "name": "azureml", "action": "create", "changes": [], "settings": []}
    plan = {"clusters": [{"id": CLUSTER, "resources": [resource]}]}
    saved = {"version": 1, "files": [{"source": "azureml.yaml", "text": "name: x"}], "digests": {}, "plan": plan}
    record = {"computeId": CLUSTER, "compute": {"identity": {}, "tags": {"a": "b"}, "properties": {"description": "x"}}}
    deep = "[" * mutate.DEEP
    return json.dumps(saved), json.dumps(record), deep, f'{{"version": 1, "files": [], "plan": {deep}'


def _saved_inputs() -> st.SearchStrategy[str]:
    documents = changed_documents(lambda: tuple(json.loads(text) for text in _saved_texts()[:2]), 1)
    return st.one_of(
        changed_texts(_saved_texts), documents.map(lambda values: json.dumps(values[0] if values else None))
    )


def _setup_texts() -> tuple[str, ...]:
    signs = ("clusters:", "workspace:", "instance_types:", "extension:")
    return tuple(text for text in mutate.files_of_users() if any(sign in text for sign in signs))


def _compute_texts() -> tuple[str, ...]:
    file = f"type: kubernetes\nname: k8s\nresource_id: {CLUSTER}\nnamespace: ml\nidentity: {{type: system_assigned}}\ntags: {{a: b}}\n"
    return (file, *mutate.files_of_users())


def _reports() -> tuple[str, ...]:
    """The report of an apply with a failure, as JSON and JUnit."""
    from azext_amlk8s.setup_files.outcomes import as_junit

    result = {"cluster": "aks", "seconds": 7, "message": "No.", "pending": [], "fix": "az"}
    report = {"clusters": [{"id": CLUSTER, "status": status, **result} for status in ("failed", "succeeded")]}
    return json.dumps(report), as_junit(report)


def _probe_texts() -> tuple[str, ...]:
    host = {"host": "mcr.microsoft.com", "stage": "tls", "error": "self-signed", "issuer": "Contoso", "proxied": True}
    return (
        json.dumps({"proxy": "http://proxy:3128", "authorities": 140, "hosts": [host, {"host": "a"}]}),
        "Traceback",
        "",
    )


def _vault_bodies() -> tuple[Any, ...]:
    pem = [text for text in mutate.files_of_users() if "BEGIN" in text] or ["-----BEGIN CERTIFICATE-----"]
    attributes = {"enabled": True, "exp": 1893456000}
    kinds = {
        "application/x-pem-file": pem[0] + pem[-1],
        "application/x-pkcs12": base64.b64encode(pem[0].encode()).decode(),
    }
    secrets = [
        {"value": value, "contentType": kind, "id": f"{VAULT}/secrets/router/{'0' * 32}", "attributes": attributes}
        for kind, value in kinds.items()
    ]
    return tuple(secrets)


def _vault_refusals() -> tuple[Any, ...]:
    return ({"error": {"code": "Forbidden", "message": "No.", "innererror": {"code": "ForbiddenByRbac"}}},)


def _certificate_secrets() -> tuple[Any, ...]:
    pem = [base64.b64encode(text.encode()).decode() for text in mutate.files_of_users() if "BEGIN" in text] or ["eA=="]
    names = (("tls.crt", "tls.key"), ("cert.pem", "key.pem"))
    return tuple({"metadata": {"name": "router"}, "data": {cert: pem[0], key: pem[-1]}} for cert, key in names)


def _releases() -> tuple[Any, ...]:
    chart = {"metadata": {"name": "azureml", "version": "1.1.71"}, "templates": []}
    return ({"name": "azureml", "version": 3, "chart": chart, "config": {"global": {"extension": {"x": "y"}}}},)


def _predictions() -> tuple[Any, ...]:
    changes = [{"path": path, "propertyChangeType": "Modify", "before": 1, "after": 2} for path in SETTING_PATHS]
    nested = {"path": "properties", "propertyChangeType": "Array", "children": changes}
    resource = {"resourceId": CLUSTER, "changeType": "Modify", "delta": [*changes, nested]}
    return ({"properties": {"changes": [resource]}}, {"changes": [{**resource, "changeType": "Unsupported"}]})


def _changed(examples: Callable[[], tuple[Any, ...]]) -> st.SearchStrategy[Any]:
    return changed_documents(examples, 1).map(lambda values: values[0] if values else None)


FILE_TARGETS: tuple[Target, ...] = (
    *(Target(kind, _changed_files(kind), _lint) for kind in SUFFIXES),
    Target("setup files", changed_texts(_setup_texts), _setup_file),
    Target("compute files", changed_texts(_compute_texts), _compute_file, ("ValueError", "YamlProblem")),
    Target("reports of apply", changed_texts(_reports), _report, ("ValueError",)),
    Target("plans and records", _saved_inputs(), _saved_file, ("FileOperationError", "ValidationError")),
    Target("responses of Key Vault", changed_documents(_vault_bodies, 2), _vault_response),
    Target("refusals of Key Vault", _changed(_vault_refusals), _vault_refusal),
    Target(
        "secrets with certificates",
        changed_documents(_certificate_secrets, 2),
        _certificate_secret,
        ("UnexpectedResponse",),
    ),
    Target("results of probes", changed_texts(_probe_texts), _probe_result),
    Target("Helm releases", st.one_of(st.binary(max_size=200), _changed(_releases)), _helm_release),
    Target("predictions of deployments", changed_documents(_predictions, 2), _what_if),
)
