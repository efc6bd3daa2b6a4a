"""Export, removal of everything and apply lead back to the same world: every resource, and what users have in clusters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.faults.cases import FOLDER
from tests.faults.evaluation import difference
from tests.faults.stage import FaultStage, World

FILES = yaml.safe_load((FOLDER / "commands.yaml").read_text(encoding="utf-8"))["files"]
CERTIFICATE, KEY = (next(text for text in FILES if mark in text) for mark in ("BEGIN CERTIFICATE", "BEGIN PRIVATE KEY"))
SETUP = """\
name: shop
workspace: {{name: ml-ws, resource_group: ml-rg}}
clusters: [{{name: {cluster}, resource_group: ml-rg, type: {type}}}]
extension:
  name: azureml
  settings: {{enableTraining: true, enableInference: true, inferenceRouterServiceType: loadBalancer, installPromOp: false}}
  tls: {{files: {{certificate: cert.pem, key: key.pem}}, cname: ml.contoso.com}}
compute: {{name: k8s-shop, namespace: ml, identity: {{type: system_assigned}}, tags: {{team: vision, cost: "42"}}}}
roles: ensure
namespaces: [{{name: ml}}]
instance_types:
- apiVersion: amlarc.azureml.com/v1alpha1
  kind: InstanceType
  metadata: {{name: small}}
  spec: {{resources: {{requests: {{cpu: "1", memory: 1Gi}}, limits: {{cpu: "1", memory: 1Gi}}}}}}
- apiVersion: amlarc.azureml.com/v1alpha1
  kind: InstanceType
  metadata: {{name: gpu}}
  spec:
    nodeSelector: {{agentpool: gpu}}
    resources: {{requests: {{cpu: "2", memory: 4Gi}}, limits: {{cpu: "2", memory: 4Gi, nvidia.com/gpu: 1}}}}
"""
ROLES = {
    "managedClusters": ["Reader", "Kubernetes Extension Contributor", "Azure Kubernetes Service Cluster Admin Role"],
    "connectedClusters": ["Reader", "Kubernetes Extension Contributor", "Azure Relay Owner"],
}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultStage]:
    stage = FaultStage(tmp_path_factory.mktemp("restore") / "stage")
    yield stage
    stage.end()


def run(world: World, command: str) -> str:
    done = world.az(command)
    assert done.code == 0, done.err
    return done.out


def given_certificate(world: World, cluster: str) -> object:
    shown = json.loads(run(world, f"az amlk8s extension certificate show -g ml-rg -c {cluster}"))
    return shown["given"]["sha256"], shown["host"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("cluster", "kind"), [("aks", "managedClusters"), ("arc", "connectedClusters")])
def test_export_removal_and_apply_restore_the_same_world(stage: FaultStage, cluster: str, kind: str) -> None:
    files = {"azureml.yaml": SETUP.format(cluster=cluster, type=kind), "cert.pem": CERTIFICATE, "key.pem": KEY}
    workspace = {"name": "ml-ws", "group": "ml-rg", "identity": "uami", "missing_roles": ROLES[kind]}
    changes = {"identities": [{"name": "uami", "group": "ml-rg"}], "workspaces": [workspace]}
    with stage.world(files=files, changes=changes) as world:
        empty = world.state()
        run(world, "az amlk8s apply -f azureml.yaml --yes")
        before, certificate = world.state(), given_certificate(world, cluster)
        names = "\n".join(sorted(set(before) - set(empty)))
        expected = ["/extensions/azureml", "/computes/k8s-shop", "/roleassignments", "InstanceType", "Namespace /ml"]
        expected += ["microsoft.relay/namespaces"] if cluster == "arc" else []
        assert [name for name in expected if name.lower() not in names.lower()] == []
        run(world, f"az amlk8s export -g ml-rg -c {cluster} -w ml-ws --out backup.yaml")
        run(world, f"az amlk8s extension delete -g ml-rg -c {cluster} --everything --yes")
        remains = set(world.state()) - set(empty)
        assert {name for name in remains if "Namespace /ml" not in name} == set()
        run(world, "az amlk8s apply -f backup.yaml --yes")
        after = world.state()
        assert after == before, difference(before, after)
        assert given_certificate(world, cluster) == certificate
        assert Path(world.folder / "backup.yaml").read_text(encoding="utf-8").count("PRIVATE KEY") == 0
