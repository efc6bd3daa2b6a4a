"""Setup files: what is read, merged and resolved, and a case for each rule."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from azext_amlk8s.instance_types.documents import Text
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.setup_files import (
    ClusterSetup,
    Setup,
    check_all,
    read_setups,
    resolve_clusters,
    setup_schema,
    unclear_cluster,
)
from azext_amlk8s.setup_files.file_terms import in_terms_of_file

ROOT = Path(__file__).parents[2]
SUBSCRIPTION = "33333333-dddd-4eee-8fff-444444444444"
BASE = """\
name: edge
workspace: {name: ml-ws, resource_group: ml-rg}
clusters:
- {name: store-001, resource_group: ml-rg, type: connectedClusters}
- {name: aks, resource_group: ml-rg, type: managedClusters}
extension:
  settings: {enableTraining: true}
compute: {name: "k8s-{cluster.name}"}
"""


def read(*texts: str) -> tuple[tuple[Setup, ...], tuple[Finding, ...]]:
    return read_setups([Text(f"file{number}.yaml", text) for number, text in enumerate(texts, 1)], SUBSCRIPTION)


def clusters_of(setup: Setup, **resources: Any) -> tuple[tuple[ClusterSetup, ...], tuple[Finding, ...]]:
    found = [
        (cluster, cluster.cluster, resources.get(cluster.cluster.name, {}))
        for cluster in setup.clusters
        if cluster.cluster
    ]
    return resolve_clusters(setup, found, SUBSCRIPTION)


def changed(**parts: Any) -> str:
    return yaml.safe_dump({**yaml.safe_load(BASE), **parts})


def test_the_schema_is_valid_and_describes_its_keys() -> None:
    schema = setup_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    described = {key: value for key, value in schema["properties"].items() if "$ref" not in value}
    assert [key for key, value in described.items() if not value.get("description")] == []


def test_a_file_becomes_clusters_with_names_of_computes() -> None:
    (setup,), findings = read(BASE)
    clusters, more = clusters_of(setup)
    assert [*findings, *more] == []
    assert [cluster.compute_name for cluster in clusters] == ["k8s-store-001", "k8s-aks"]
    assert clusters[0].workspace and clusters[0].workspace.subscription == SUBSCRIPTION
    assert clusters[0].place == "file1.yaml:4:3"
    assert clusters[0].extension == {"settings": {"enableTraining": "true"}}


def test_settings_keep_the_spelling_of_the_file() -> None:
    (setup,), _ = read(BASE.replace("enableTraining: true", "enableTraining: yes, a: 010, b: 1.50, c: null"))
    assert setup.content["extension"]["settings"] == {"enableTraining": "yes", "a": "010", "b": "1.50", "c": ""}


def test_files_of_one_name_are_merged() -> None:
    setups, findings = read(
        "name: edge\nextension: {settings: {enableTraining: true}}\nnamespaces: [{name: ml}]\n",
        "name: edge\nclusters: [{name: aks, resource_group: ml-rg, type: managedClusters}]\nnamespaces: [{name: other}]\n",
    )
    assert findings == ()
    (cluster,), _ = clusters_of(setups[0])
    assert cluster.namespaces == ["ml", "other"]
    assert cluster.extension is not None


def test_an_override_changes_only_what_it_names() -> None:
    (setup,), _ = read(
        changed(
            overrides=[
                {"select": {"name": "store-*"}, "extension": {"settings": {"enableInference": "false"}}},
                {"select": {"tags": {"ring": "canary"}}, "compute": {"name": "canary"}, "roles": "ensure"},
            ]
        )
    )
    (store, aks), findings = clusters_of(setup, aks={"tags": {"ring": "canary"}})
    assert findings == ()
    assert store.extension == {"settings": {"enableTraining": "true", "enableInference": "false"}}
    assert (store.compute_name, store.roles) == ("k8s-store-001", "check")
    assert (aks.compute_name, aks.roles) == ("canary", "ensure")


def test_another_source_of_the_certificate_replaces_the_first() -> None:
    (setup,), _ = read(
        changed(
            extension={"tls": {"kubernetes_secret": "tls", "cname": "a.b"}},
            overrides=[{"select": {"name": "aks"}, "extension": {"tls": {"files": {"certificate": "c", "key": "k"}}}}],
        )
    )
    _, aks = clusters_of(setup)[0]
    assert aks.extension == {"tls": {"files": {"certificate": "c", "key": "k"}}}


def test_paths_are_relative_to_the_file() -> None:
    setups, _ = read_setups([Text("setups/a.yaml", changed(instance_types=[{"file": "types.yaml"}]))], SUBSCRIPTION)
    assert setups[0].content["instance_types"] == [{"file": "setups/types.yaml"}]


CASES = {
    "text that is not YAML": ("name: [", "D101", "file1.yaml:"),
    "empty file": ("", "D102", "an empty file"),
    "list": ("- a", "D102", "a list"),
    "misspelt key": (BASE.replace("extension:", "extensions:"), "D103", "file1.yaml:6:1 (extensions): unknown key 'extensions'. Did you mean 'extension'?"),
    "key of another style": (BASE.replace("settings:", "Settings:"), "D103", "Did you mean 'settings'?"),
    "key that is like no other": (changed(zzz=1), "D103", "unknown key 'zzz'."),
    "wrong type": (changed(clusters="aks"), "D104", "invalid value 'aks'; expected a list"),
    "wrong choice": (BASE.replace("connectedClusters", "arc"), "D104", "invalid value 'arc'; expected managedClusters or connectedClusters"),
    "too many in parallel": (changed(rollout={"max_parallel": 500}), "D104", "a number from 1 to 200"),
    "percentage": (changed(rollout={"max_failures": "many"}), "D104", "a number or a percentage such as 5%"),
    "pause": (changed(rollout={"pause": "long"}), "D104", "a time such as 10m"),
    "kind of an object": (changed(instance_types=[{"apiVersion": "v1", "kind": "Pod"}]), "D104", "(instance_types.0.kind): invalid value 'Pod'; expected InstanceType"),
    "instance type": (changed(instance_types=[{"name": "a"}]), "D104", "expected from_nodes, a mapping with file, a mapping with from_nodes, or an InstanceType object, got a mapping."),
    "shares of nodes": (changed(instance_types=[{"from_nodes": True}]), "D104", "(instance_types.0.from_nodes): invalid value 'true'; expected a list"),
    "text in place of a mapping": (changed(workspace="ml-ws"), "D104", "(workspace): invalid value 'ml-ws'; expected a mapping."),
    "mapping in place of a text": (changed(compute={"name": {"a": "b"}}), "D104", "(compute.name): expected a string, got a mapping."),
    "no clusters": ("name: edge\n", "D105", "'clusters' is missing"),
    "no workspace": ("name: a\nclusters: [{name: aks, resource_group: g, type: managedClusters}]\ncompute: {name: abc}\n", "D105", "'compute' requires 'workspace'"),
    "no group": (BASE.replace("resource_group: ml-rg, type: managedClusters", "type: managedClusters"), "D105", "'name' requires 'resource_group'"),
    "two ways to name a cluster": (BASE.replace("{name: aks,", "{name: aks, resource_id: /x,"), "D106", "got 'name' and 'resource_id'"),
    "no source of the certificate": (changed(extension={"tls": {"cname": "a.b"}}), "D106", "got none of them"),
    "literal protected setting": (changed(extension={"protected_settings": {"relayServerConnectionString": "s3cret-s3cret"}}), "D107", "is a secret"),
    "secret among plain settings": (changed(extension={"settings": {"relayServerConnectionString": "s3cret-s3cret"}}), "D107", "is a secret"),
    "private key": (changed(extension={"settings": {"other": "-----BEGIN RSA PRIVATE KEY-----s3cret-s3cret"}}), "D107", "is a secret"),
    "cluster twice": (BASE.replace("name: aks, resource_group: ml-rg, type: managedClusters", "name: Store-001, resource_group: ML-RG, type: connectedClusters"), "D108", "file1.yaml:5:3: duplicate cluster 'Store-001'; first defined at file1.yaml:4:3"),
    "key twice": (BASE + "name: other\n", "D109", "duplicate key 'name'"),
    "placeholder": (BASE.replace("ml-ws", "<my-workspace>"), "D110", "replace the placeholder '<my-workspace>'"),
    "resource ID": (BASE.replace("{name: ml-ws, resource_group: ml-rg}", "{resource_id: /subscriptions/x}"), "D113", "not the resource ID of a workspace"),
}  # fmt: skip


def test_the_type_of_a_named_cluster_may_be_left_out() -> None:
    (setup,), findings = read(BASE.replace(", type: managedClusters", ""))
    assert findings == ()
    assert setup.clusters[1].is_named
    assert [finding.id for finding in unclear_cluster("here", setup.clusters[1].selector, [])] == ["D121"]
    assert [finding.id for finding in unclear_cluster("here", setup.clusters[1].selector, ["managedClusters"])] == []
    assert [
        finding.id
        for finding in unclear_cluster("here", setup.clusters[1].selector, ["managedClusters", "connectedClusters"])
    ] == ["D121"]


def test_an_unknown_variable_is_no_collision() -> None:
    (setup,), _ = read(BASE.replace("{cluster.name}", "{name}"))
    clusters, findings = clusters_of(setup)
    assert [finding.id for finding in findings] == ["D111"]
    assert check_all(clusters) == ()


def test_keys_of_files_and_overrides_know_their_places() -> None:
    text = (
        BASE
        + "overrides:\n- select: {name: aks}\n  extension: {settings: {enableTraining: false, relayserver.enabled: true}}\n"
    )
    (setup,), _ = read(text)
    arc, aks = clusters_of(setup)[0]
    assert arc.place_of("extension.settings.enableTraining") == "file1.yaml:7:30"
    assert aks.place_of("extension.settings.enableTraining") == "file1.yaml:11:42"
    assert aks.place_of("extension.settings.relayserver.enabled") == "file1.yaml:11:70"
    assert aks.place_of("extension.version") == "file1.yaml:11:14"
    assert arc.place_of("roles") == arc.place


TERMS = [
    ("S101", "--config enableTraining=True", "Set extension.settings.enableTraining to True."),
    ("S103", "Add sslCname to --config.", "Add sslCname to extension.settings."),
    ("S007", "Give key to --config-protected.", "Give key to extension.protected_settings."),
    ("S111", "--config-protected a=...", "Set extension.protected_settings.a to a reference such as {env: NAME}."),
    ("S002", "--allow-unknown-settings", "az amlk8s extension settings list -o table"),
    ("V101", "--auto-upgrade false", "Set extension.auto_upgrade to false."),
    ("C101", "--name k8s-1a", "Set compute.name to k8s-1a."),
    ("F103", "--name other", "Set extension.name to other."),
    ("C110", "--namespace training --create-namespace", "Set compute.namespace to training."),
    ("C112", "--identity-type SystemAssigned", "Set compute.identity.type to system_assigned."),
    ("C121", "az role assignment create --role x\nOr add --assign-roles to grant all of them.", "az role assignment create --role x\nOr set roles to ensure to grant all of them."),
    ("C105", "az amlk8s extension create -g g -c c -t managedClusters --config enableTraining=True", "Set extension.settings.enableTraining to True."),
    ("C105", "az amlk8s extension create -g g -c c -t managedClusters", "Add extension to the file."),
    ("K101", "az aks show -n a", "az aks show -n a"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "fix", "expected"), TERMS, ids=[f"{rule} {fix}" for rule, fix, _ in TERMS])
def test_fixes_name_keys_of_the_file(rule: str, fix: str, expected: str) -> None:
    finding = Finding(rule, Severity.ERROR, "subject", "--namespace: reserved.", fix=fix)
    assert in_terms_of_file(finding).fix == expected
    assert in_terms_of_file(finding).message == "compute.namespace: reserved."


@pytest.mark.parametrize("name", sorted(CASES))
def test_rule_of_the_form(name: str) -> None:
    text, rule, message = CASES[name]
    findings = read(text)[1]
    assert {finding.id for finding in findings} == {rule}
    assert message in findings[0].message
    assert not any("s3cret" in str(finding) for finding in findings)


def test_a_part_in_two_files_is_an_error() -> None:
    _, findings = read(BASE, "name: edge\nextension: {name: other}\n")
    assert [finding.id for finding in findings] == ["D108"]
    assert "first defined at file1.yaml:6:1" in findings[0].message


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("k8s-{cluster.nam}", ["D111"]),
        ("k8s-much-too-long-name-{cluster.name}", ["D115", "D115"]),
        ("same", []),
    ],
)
def test_names_of_computes(name: str, ids: list[str]) -> None:
    (setup,), _ = read(changed(compute={"name": name}))
    assert [finding.id for finding in clusters_of(setup)[1]] == ids


def test_names_of_computes_differ_across_setups() -> None:
    setups, _ = read(changed(compute={"name": "same"}), changed(name="other", compute={"name": "SAME"}))
    clusters = [item for setup in setups for item in clusters_of(setup)[0]]
    assert sorted({finding.id for finding in check_all(clusters)}) == ["D108", "D112"]


def test_clusters_of_two_types_may_have_one_name() -> None:
    assert ClusterRef("s", "g", "managedClusters", "a").id != ClusterRef("s", "g", "connectedClusters", "a").id


def test_examples_in_the_guide_are_valid() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))]
    blocks = [
        block for text in texts for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "\nclusters:" in block
    ]
    assert blocks
    for block in blocks:
        assert read(block)[1] == ()
