"""The life of instance types, with the real az and kubectl, on the sandbox's cluster and on a real kube-apiserver."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from sandbox.azure.kubernetes_configuration.installation import CRD
from sandbox.world import DEFAULT_WORLD
from tests.support import Output, Sandbox

KINDS = ("stand-in", "real")
FULL_NAME = "instancetypes.amlarc.azureml.com"


@dataclass(frozen=True)
class Cluster:
    """One cluster of the sandbox, by its context."""

    box: Sandbox
    context: str
    kubectl_path: str

    def az(self, verb: str, *words: str, stdin: str | None = None) -> Output:
        return self.box.az("amlk8s", "instance-type", verb, *words, "--context", self.context, stdin=stdin)

    def kubectl(self, *words: str, stdin: str | None = None) -> Output:
        return self.box.run(self.kubectl_path, "--context", self.context, *words, stdin=stdin)

    def names(self) -> list[str]:
        told = json.loads(self.kubectl("get", FULL_NAME, "-o", "json").out)
        return sorted(item["metadata"]["name"] for item in told["items"])


@pytest.fixture(scope="module")
def box(start: Callable[..., Sandbox], tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A sandbox with a cluster of each kind, in which the custom resource definition stands."""
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    pools = [{"name": "node", "count": 2}]
    world["clusters"] = [
        {
            "name": name,
            "group": "ml-rg",
            "type": "connectedClusters",
            "pools": pools,
            "objects": [CRD],
            "real": name == "real",
        }
        for name in KINDS
        if name != "real" or "KUBEBUILDER_ASSETS" in os.environ
    ]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    return start("--world", str(file))


@pytest.fixture(params=KINDS)
def cluster(request: pytest.FixtureRequest, box: Sandbox, kubectl: str) -> Cluster:
    """The cluster, without instance types."""
    if request.param == "real" and "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    made = Cluster(box, request.param, kubectl)
    assert made.kubectl("delete", FULL_NAME, "--all").code == 0
    return made


def document(name: str = "small", cpu: str = "1", **selector: str) -> str:
    """An instance type as a user writes it."""
    spec: dict[str, Any] = {"nodeSelector": selector} if selector else {}
    spec["resources"] = {"requests": {"cpu": cpu, "memory": "2Gi"}, "limits": {"cpu": cpu, "memory": "2Gi"}}
    return yaml.safe_dump(
        {"apiVersion": "amlarc.azureml.com/v1alpha1", "kind": "InstanceType", "metadata": {"name": name}, "spec": spec}
    )


def actions(said: Output) -> dict[str, str]:
    return {item["name"]: item["action"] for item in said.json}


def test_apply_twice_then_change(cluster: Cluster) -> None:
    """Created, then unchanged, then changed in the field that differs."""
    assert actions(cluster.az("apply", "-f", "-", stdin=document())) == {"small": "created"}
    assert actions(cluster.az("apply", "-f", "-", stdin=document())) == {"small": "unchanged"}
    said = cluster.az("apply", "-f", "-", stdin=document(cpu="2"))
    assert actions(said) == {"small": "changed"}
    assert {change["field"]: (change["before"], change["after"]) for change in said.json[0]["changes"]} == {
        "spec.resources.limits.cpu": ("1", "2"),
        "spec.resources.requests.cpu": ("1", "2"),
    }


def test_what_is_no_more_applied_goes(cluster: Cluster) -> None:
    """A selector that the document drops is dropped in the cluster."""
    cluster.az("apply", "-f", "-", stdin=document(agentpool="gpu"))
    said = cluster.az("apply", "-f", "-", stdin=document())
    assert said.json[0]["nodeSelector"] == {}
    assert cluster.az("show", "-n", "small").json["nodeSelector"] == {}


def test_a_dry_run_keeps_nothing(cluster: Cluster) -> None:
    """The server answers as if, and keeps nothing."""
    said = cluster.az("apply", "-f", "-", "--dry-run", stdin=document())
    assert (actions(said), cluster.names()) == ({"small": "created"}, [])


def test_what_kubectl_applied_we_list_and_do_not_overwrite(cluster: Cluster) -> None:
    """kubectl manages its fields: another value is a conflict that names it, until it is forced."""
    assert cluster.kubectl("apply", "-f", "-", stdin=document(agentpool="a")).code == 0
    assert [item["name"] for item in cluster.az("list").json] == ["small", "defaultinstancetype"]
    said = cluster.az("apply", "-f", "-", stdin=document(cpu="2", agentpool="a"))
    assert (said.code, actions(said)) == (1, {"small": "conflict"})
    assert {conflict["manager"] for conflict in said.json[0]["conflicts"]} == {"kubectl-client-side-apply"}
    assert "kubectl-client-side-apply" in said.err
    assert "I143" in said.err
    forced = cluster.az("apply", "-f", "-", "--force-conflicts", stdin=document(cpu="2", agentpool="a"))
    assert (forced.code, actions(forced)) == (0, {"small": "changed"})


def test_the_same_from_both_is_no_conflict(cluster: Cluster) -> None:
    """Two managers of the same value agree."""
    cluster.kubectl("apply", "-f", "-", stdin=document(agentpool="a"))
    assert actions(cluster.az("apply", "-f", "-", stdin=document(agentpool="a"))) == {"small": "unchanged"}


@pytest.mark.parametrize("how", [[], ["--server-side", "--field-manager", "other"]], ids=["client side", "server side"])
def test_what_we_applied_kubectl_shows_without_drift(cluster: Cluster, how: list[str]) -> None:
    """kubectl diff of the same file finds nothing."""
    text = document(agentpool="a")
    assert cluster.az("apply", "-f", "-", stdin=text).code == 0
    said = cluster.kubectl("diff", *how, "-f", "-", stdin=text)
    assert (said.code, said.out) == (0, ""), said.err


def test_prune_leaves_what_is_not_ours(cluster: Cluster) -> None:
    """What kubectl applied stays, what we applied and is in no file any more goes."""
    cluster.kubectl("apply", "-f", "-", stdin=document("theirs"))
    cluster.az("apply", "-f", "-", stdin=document("old"))
    said = cluster.az("apply", "-f", "-", "--prune", "--yes", stdin=document("new"))
    assert actions(said) == {"new": "created", "old": "pruned"}
    assert cluster.names() == ["new", "theirs"]


def test_update_and_delete(cluster: Cluster) -> None:
    """One field changes, the others stay; then the type is gone."""
    cluster.az(
        "create", "-n", "small", "--cpu-limit", "1", "--memory-limit", "2Gi", "--gpu", "1", "--node-selector", "a=b"
    )
    said = cluster.az("update", "-n", "small", "--cpu-limit", "2", "--gpu", "0")
    assert said.json["limits"] == {"cpu": "2", "memory": "2Gi", "nvidia.com/gpu": 0}
    assert said.json["requests"]["cpu"] == "1"
    assert cluster.az("delete", "-n", "small", "--yes").code == 0
    assert cluster.names() == []
    assert cluster.az("delete", "-n", "small", "--yes").code == 3


def test_converted_documents_are_kubectls_too(cluster: Cluster) -> None:
    """What convert writes as YAML, kubectl applies."""
    old = "instance_types:\n- {name: Old_One, resources: {requests: {cpu: 1, memory: 2Gi}, limits: {cpu: 1, memory: 2Gi}}}\n"
    said = cluster.box.az("amlk8s", "instance-type", "convert", "-f", "-", "-o", "yaml", stdin=old)
    assert cluster.kubectl("apply", "-f", "-", stdin=said.out).code == 0
    assert cluster.names() == ["old-one"]


def test_fit_on_the_nodes_that_are_there(cluster: Cluster) -> None:
    """Nodes and pods are read in the same way from both."""
    said = cluster.az("fit", "-f", "-", "--config", "enableTraining=True", stdin=document())
    assert (said.json[0]["pods"], said.json[0]["places"][0]["nodes"]) == (8, [f"{cluster.context}-node-0"])


def test_pods_that_may_not_be_read(box: Sandbox, kubectl: str) -> None:
    """Who may read nodes and not pods is told, and gets the rest; a real API server has the roles for it."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    real = Cluster(box, "real", kubectl)
    api = "/api/v1/namespaces/default/serviceaccounts"
    for words, body in (
        (
            ("create", "-f", "-"),
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "reader", "namespace": "default"}},
        ),
        (("create", "clusterrole", "nodes", "--verb=list", "--resource=nodes"), None),
        (("create", "clusterrolebinding", "nodes", "--clusterrole=nodes", "--serviceaccount=default:reader"), None),
    ):
        assert real.kubectl(*words, stdin=json.dumps(body) if body else None).code == 0
    request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["https://kubernetes.default.svc"]},
    }
    said = real.kubectl("create", "--raw", f"{api}/reader/token", "-f", "-", stdin=json.dumps(request))
    config = yaml.safe_load((box.folder / "kubeconfig").read_text(encoding="utf-8"))
    for user in config["users"]:
        user["user"] = {"token": json.loads(said.out)["status"]["token"]}
    file = box.folder / "reader"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    words = ("fit", "-f", "-", "--config", "enableTraining=True", "--kubeconfig", str(file), "--context", "real")
    said = box.az("amlk8s", "instance-type", *words, stdin=document())
    assert (said.code, said.json[0]["pods"]) == (0, 8), said.err
    assert "N107" in said.err
    listed = box.az("amlk8s", "instance-type", "list", "--kubeconfig", str(file), "--context", "real")
    assert listed.code == 1
    assert "403 Forbidden" in listed.err
