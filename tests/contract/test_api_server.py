"""The sandbox and a real kube-apiserver return the same responses to the same requests."""

from __future__ import annotations

import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.world import DEFAULT_WORLD
from tests.contract.verified import count_verified

REQUESTS = yaml.safe_load((Path(__file__).parent / "requests.yaml").read_text(encoding="utf-8"))
API = "amlarc.azureml.com/v1alpha1"
LIMITS = {"type": "object", "additionalProperties": {"x-kubernetes-int-or-string": True}}
SPEC = {
    "type": "object",
    "properties": {
        "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
        "resources": {"type": "object", "properties": {"limits": LIMITS, "requests": LIMITS}},
    },
}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "instancetypes.amlarc.azureml.com"},
    "spec": {
        "group": "amlarc.azureml.com",
        "names": {
            "kind": "InstanceType",
            "listKind": "InstanceTypeList",
            "plural": "instancetypes",
            "singular": "instancetype",
        },
        "scope": "Cluster",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            }
        ],
    },
}


def instance_type(name: str, cpu: Any, labels: dict[str, str] | None = None, **extra: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, **({"labels": labels} if labels else {})}
    return {
        "apiVersion": API,
        "kind": "InstanceType",
        "metadata": meta,
        "spec": {"resources": {"limits": {"cpu": cpu}}, **extra},
    }


BODIES = {
    "{crd}": CRD,
    "{small}": instance_type("small", "1", {"owner": "one"}),
    "{larger}": instance_type("small", "2"),
    "{unlabelled}": {"apiVersion": API, "kind": "InstanceType", "metadata": {"name": "small"}},
    "{wrong}": instance_type("wrong", "1", nodeSelector={"gpu": 1}),
    "{unknown}": instance_type("odd", "1", nodeSelektor={"a": "b"}),
}


@dataclass
class Cluster:
    """An API server, and values of a response that the next request needs."""

    server: str
    token: str
    context: ssl.SSLContext
    kept: dict[str, str] = field(default_factory=dict)

    def send(self, case: dict[str, Any]) -> tuple[int, str, Any]:
        method = next(word for word in ("get", "post", "put", "patch", "delete") if word in case)
        path = case[method].replace("{continue}", self.kept.get("continue", ""))
        headers = {
            "Content-Type": case.get("type", "application/json"),
            "Accept": case.get("accept", "application/json"),
        }
        token = case.get("token", self.token)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = case.get("text") or (json.dumps(BODIES.get(str(case["body"]), case["body"])) if "body" in case else None)
        request = urllib.request.Request(
            self.server + path, body.encode() if body else None, headers, method=method.upper()
        )
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=20) as response:
                return response.status, response.headers["Content-Type"], read(response.read(), case)
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], read(error.read(), case)


def read(data: bytes, case: dict[str, Any]) -> Any:
    if case.get("events"):
        return [json.loads(line) for line in data.splitlines() if line]
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace").strip()


@pytest.fixture(scope="module")
def clusters(start: Callable[..., Any], tmp_path_factory: Any) -> dict[str, Cluster]:
    """A simulated and a real cluster, in one sandbox."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    cluster = {"group": "ml-rg", "type": "connectedClusters", "pools": []}
    world["clusters"] = [{"name": "sandbox", **cluster}, {"name": "real", "real": True, **cluster}]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--world", str(file))
    config = yaml.safe_load(Path(box.env["KUBECONFIG"]).read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=str(box.folder / "ca.pem"))
    servers = {cluster["name"]: cluster["cluster"]["server"] for cluster in config["clusters"]}
    tokens = {user["name"].removeprefix("user-"): user["user"]["token"] for user in config["users"]}
    return {name: Cluster(servers[name], tokens[name], context) for name in servers}


def names(response: Any) -> list[str]:
    return sorted(item["metadata"]["name"] for item in response["items"])


def plain(value: Any, case: dict[str, Any]) -> Any:
    """What must be equal: everything except IDs, times and versions."""
    if isinstance(value, dict):
        dropped = {
            "uid",
            "resourceVersion",
            "creationTimestamp",
            "time",
            "selfLink",
            "storageVersionHash",
            "remainingItemCount",
            "continue",
            "serverAddress",
        }
        if not case.get("managers"):
            dropped.add("managedFields")
        # Every namespace has the label since 1.21; the real server here may be older.
        dropped.add("kubernetes.io/metadata.name")
        return {
            key: plain_value
            for key, item in value.items()
            if key not in dropped and (plain_value := plain(item, case)) != {}
        }
    if isinstance(value, list):
        plainly = [plain(item, case) for item in value]
        # Verbs and short names are sets; their order has no meaning.
        return sorted(plainly) if all(isinstance(item, str) for item in plainly) else plainly
    return value


def comparable(response: Any, case: dict[str, Any]) -> Any:
    if case.get("table"):
        return {
            "kind": response["kind"],
            "columns": [
                {**column_definition, "description": ""} for column_definition in response["columnDefinitions"]
            ],
            "cells": [
                [
                    cell
                    for cell, column_definition in zip(row["cells"], response["columnDefinitions"], strict=True)
                    if column_definition["name"] != "Age"
                ]
                for row in response["rows"]
            ],
            "objects": [row["object"] and row["object"]["kind"] for row in response["rows"]],
        }
    if case.get("events"):
        return sorted(
            (event["type"], event["object"]["metadata"]["name"]) for event in response if event["type"] != "BOOKMARK"
        )
    if "only" in case:
        return {key: plain(response, case).get(key) for key in case["only"]}
    if isinstance(response, dict) and response.get("metadata", {}).get("managedFields") and case.get("managers"):
        response["metadata"]["managedFields"].sort(key=lambda entry: (entry["manager"], entry["operation"]))
    return plain(response, case)


@pytest.mark.parametrize("case", REQUESTS, ids=[request["name"] for request in REQUESTS])
def test_same_response_as_kube_apiserver(case: dict[str, Any], clusters: dict[str, Cluster]) -> None:
    """Status and body are equal, except for generated values."""
    real, simulated = (clusters[name].send(case) for name in ("real", "sandbox"))
    deadline = time.monotonic() + 20
    while case.get("wait") and real[0] == 404 and time.monotonic() < deadline:
        time.sleep(0.2)
        real = clusters["real"].send(case)
    for name, response in (("real", real), ("sandbox", simulated)):
        if "keep" in case:
            clusters[name].kept[case["keep"]] = response[2]["metadata"][case["keep"]]
    assert simulated[:2] == real[:2]
    if case.get("only") != []:
        assert comparable(simulated[2], case) == comparable(real[2], case)
    if "names" in case:
        assert names(simulated[2]) == case["names"]
    count_verified("responses", case["name"])
