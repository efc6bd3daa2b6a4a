"""What an installation leaves in a cluster, and customised config maps."""

from __future__ import annotations

from typing import Any

import pytest

from azext_amlk8s.azure.key_vault import InvalidVaultId, parse_vault_id
from azext_amlk8s.checks.leftover_objects import find_leftovers, hanging_reasons
from azext_amlk8s.operations.cluster_backup import customisations

HELM = {"meta.helm.sh/release-namespace": "azureml", "meta.helm.sh/release-name": "azureml"}
OTHER = {"meta.helm.sh/release-namespace": "monitoring"}


def obj(name: str, **more: Any) -> dict[str, Any]:
    annotations = more.pop("annotations", {})
    return {"metadata": {"name": name, "uid": "1", "annotations": annotations}, **more}


CASES: list[tuple[str, dict[str, Any], bool]] = [
    ("CustomResourceDefinition", obj("instancetypes.amlarc.azureml.com"), True),
    ("CustomResourceDefinition", obj("jobs.batch.volcano.sh"), False),
    ("CustomResourceDefinition", obj("jobs.batch.volcano.sh", annotations=HELM), True),
    ("CustomResourceDefinition", obj("prometheuses.monitoring.coreos.com", annotations=OTHER), False),
    ("ClusterRole", obj("volcano-scheduler"), False),
    ("ClusterRole", obj("volcano-scheduler", annotations=HELM), True),
    ("ClusterRoleBinding", obj("x", subjects=[{"kind": "ServiceAccount", "name": "a", "namespace": "azureml"}]), True),
    ("ClusterRoleBinding", obj("x", subjects=[{"kind": "User", "name": "azureml"}]), False),
    ("ClusterRoleBinding", obj("x", subjects=None), False),
    (
        "ValidatingWebhookConfiguration",
        obj("w", webhooks=[{"clientConfig": {"service": {"namespace": "azureml"}}}]),
        True,
    ),
    ("ValidatingWebhookConfiguration", obj("w", webhooks=[{"clientConfig": {"url": "https://azureml"}}]), False),
    ("PriorityClass", obj("p"), False),
]


@pytest.mark.parametrize(("kind", "item", "expected"), CASES)
def test_only_what_the_extension_brought_is_a_leftover(kind: str, item: dict[str, Any], expected: bool) -> None:
    assert bool(find_leftovers({kind: [item]}, [])) is expected


def test_namespace_is_the_last_and_says_what_it_waits_for() -> None:
    conditions = [
        {"type": "NamespaceContentRemaining", "status": "True", "message": "Some resources are remaining: a"},
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "fine"},
    ]
    namespace = obj("azureml", status={"phase": "Terminating", "conditions": conditions})
    found = find_leftovers({"ClusterRole": [obj("r", annotations=HELM)]}, [namespace, obj("default")])
    assert [each.label for each in found] == ["ClusterRole r", "Namespace azureml"]
    assert found[-1].is_deleting and found[-1].reasons == ("Some resources are remaining: a.",)
    assert hanging_reasons({}) == []


def test_changes_of_other_field_managers_are_customisations() -> None:
    entry = {"manager": "scale", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:a": {}, "f:gone": {}}}}
    helm = {"manager": "helm", "fieldsV1": {"f:data": {"f:b": {}}}}
    config_map = {"metadata": {"name": "volcano", "managedFields": [entry, helm]}, "data": {"a": "1", "b": "2"}}
    found = customisations(config_map, {"helm"})
    assert [(each.config_map, each.manager, dict(each.data)) for each in found] == [("volcano", "scale", {"a": "1"})]


IDS: list[tuple[str, str]] = [
    ("https://v.vault.example/certificates/fe", "https://v.vault.example/certificates/fe"),
    (
        "https://V.vault.example/Secrets/fe/0123456789abcdef0123456789ABCDEF/",
        "https://v.vault.example/secrets/fe/0123456789abcdef0123456789ABCDEF",
    ),
    ("https://v.vault.example:443/certificates/fe", "https://v.vault.example/certificates/fe"),
    ("http://v.vault.example/certificates/fe", ""),
    ("https://v.vault.example.evil.com/certificates/fe", ""),
    ("https://user@v.vault.example/certificates/fe", ""),
    ("https://a.b.vault.example/certificates/fe", ""),
    ("https://v.vault.example:444/certificates/fe", ""),
    ("https://v.vault.example/keys/fe", ""),
    ("https://v.vault.example/certificates/fe/latest", ""),
    ("https://v.vault.example/certificates/fe?api-version=1", ""),
    ("https://[/certificates/fe", ""),
    ("fe", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "expected"), IDS)
def test_vault_ids(text: str, expected: str) -> None:
    if expected:
        assert parse_vault_id(text, ".vault.example").id == expected
    else:
        with pytest.raises(InvalidVaultId):
            parse_vault_id(text, ".vault.example")
