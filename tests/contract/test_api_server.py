"""The cluster stand-in and a real kube-apiserver give the same answers to the same requests."""

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
from tests.contract.tally import tally

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


def instance_type(name: str, cpu: Any, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, **({"labels": labels} if labels else {})}
    return {
        "apiVersion": API,
        "kind": "InstanceType",
        "metadata": meta,
        "spec": {"resources": {"limits": {"cpu": cpu}}, **more},
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
    """An API server, and what must be carried from one answer to the next request."""

    server: str
    token: str
    context: ssl.SSLContext
    kept: dict[str, str] = field(default_factory=dict)

    def send(self, told: dict[str, Any]) -> tuple[int, str, Any]:
        method = next(word for word in ("get", "post", "put", "patch", "delete") if word in told)
        path = told[method].replace("{continue}", self.kept.get("continue", ""))
        headers = {
            "Content-Type": told.get("type", "application/json"),
            "Accept": told.get("accept", "application/json"),
        }
        token = told.get("token", self.token)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        body = told.get("text") or (json.dumps(BODIES.get(str(told["body"]), told["body"])) if "body" in told else None)
        request = urllib.request.Request(
            self.server + path, body.encode() if body else None, headers, method=method.upper()
        )
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=20) as response:
                return response.status, response.headers["Content-Type"], read(response.read(), told)
        except urllib.error.HTTPError as error:
            return error.code, error.headers["Content-Type"], read(error.read(), told)


def read(data: bytes, told: dict[str, Any]) -> Any:
    if told.get("events"):
        return [json.loads(line) for line in data.splitlines() if line]
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace").strip()


@pytest.fixture(scope="module")
def clusters(start: Callable[..., Any], tmp_path_factory: Any) -> dict[str, Cluster]:
    """One of each, in one sandbox."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    one = {"group": "ml-rg", "type": "connectedClusters", "pools": []}
    world["clusters"] = [{"name": "stand-in", **one}, {"name": "real", "real": True, **one}]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--world", str(file))
    config = yaml.safe_load(Path(box.env["KUBECONFIG"]).read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=str(box.folder / "ca.pem"))
    servers = {one["name"]: one["cluster"]["server"] for one in config["clusters"]}
    tokens = {one["name"].removeprefix("user-"): one["user"]["token"] for one in config["users"]}
    return {name: Cluster(servers[name], tokens[name], context) for name in servers}


def names(answer: Any) -> list[str]:
    return sorted(one["metadata"]["name"] for one in answer["items"])


def plain(value: Any, told: dict[str, Any]) -> Any:
    """What must be equal: everything but ids, times and versions."""
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
        if not told.get("managers"):
            dropped.add("managedFields")
        # Every namespace has the label since 1.21; the real server here may be older.
        dropped.add("kubernetes.io/metadata.name")
        return {
            key: told_of for key, one in value.items() if key not in dropped and (told_of := plain(one, told)) != {}
        }
    if isinstance(value, list):
        plainly = [plain(one, told) for one in value]
        # Verbs and short names are sets; their order says nothing.
        return sorted(plainly) if all(isinstance(one, str) for one in plainly) else plainly
    return value


def essence(answer: Any, told: dict[str, Any]) -> Any:
    if told.get("table"):
        return {
            "kind": answer["kind"],
            "columns": [{**one, "description": ""} for one in answer["columnDefinitions"]],
            "cells": [
                [
                    cell
                    for cell, one in zip(row["cells"], answer["columnDefinitions"], strict=True)
                    if one["name"] != "Age"
                ]
                for row in answer["rows"]
            ],
            "objects": [row["object"] and row["object"]["kind"] for row in answer["rows"]],
        }
    if told.get("events"):
        return sorted((one["type"], one["object"]["metadata"]["name"]) for one in answer if one["type"] != "BOOKMARK")
    if "only" in told:
        return {key: plain(answer, told).get(key) for key in told["only"]}
    if isinstance(answer, dict) and answer.get("metadata", {}).get("managedFields") and told.get("managers"):
        answer["metadata"]["managedFields"].sort(key=lambda one: (one["manager"], one["operation"]))
    return plain(answer, told)


@pytest.mark.parametrize("told", REQUESTS, ids=[one["name"] for one in REQUESTS])
def test_the_same_answer(told: dict[str, Any], clusters: dict[str, Cluster]) -> None:
    """Status and body agree, but for what the real one makes up."""
    real, ours = (clusters[name].send(told) for name in ("real", "stand-in"))
    deadline = time.monotonic() + 20
    while told.get("wait") and real[0] == 404 and time.monotonic() < deadline:
        time.sleep(0.2)
        real = clusters["real"].send(told)
    for name, answer in (("real", real), ("stand-in", ours)):
        if "keep" in told:
            clusters[name].kept[told["keep"]] = answer[2]["metadata"][told["keep"]]
    assert ours[:2] == real[:2]
    if told.get("only") != []:
        assert essence(ours[2], told) == essence(real[2], told)
    if "names" in told:
        assert names(ours[2]) == told["names"]
    tally("answers", told["name"])
