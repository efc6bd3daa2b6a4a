"""Setup files: what is read, merged and resolved, and a case for each rule."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from azext_amlk8s.instance_types.documents import Text
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.rules import Finding
from azext_amlk8s.setup_files import ClusterSetup, Setup, check_all, read_setups, resolve_clusters, setup_schema

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
    found = [(one, one.cluster, resources.get(one.cluster.name, {})) for one in setup.clusters if one.cluster]
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
    assert [one.compute_name for one in clusters] == ["k8s-store-001", "k8s-aks"]
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
    "instance type": (changed(instance_types=[{"kind": "Pod"}]), "D104", "an InstanceType object"),
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
    clusters = [one for setup in setups for one in clusters_of(setup)[0]]
    assert sorted({finding.id for finding in check_all(clusters)}) == ["D108", "D112"]


def test_clusters_of_two_types_may_have_one_name() -> None:
    assert ClusterRef("s", "g", "managedClusters", "a").id != ClusterRef("s", "g", "connectedClusters", "a").id
