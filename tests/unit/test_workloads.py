"""Job and deployment files: what they ask for and what is said of it. Each case is a file that a user might write."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.instance_types.fit import fit
from azext_amlk8s.instance_types.model import InstanceType
from azext_amlk8s.rules import Finding, Severity
from azext_amlk8s.scheduling.nodes import Node
from azext_amlk8s.scheduling.placement import workload_placement
from azext_amlk8s.workloads import KnownTypes, Workload, evaluate_workloads, read_workloads

SMALL = {"cpu": "1", "memory": "2Gi"}
KNOWN = KnownTypes(
    "the compute k8s",
    {
        "cpu-small": InstanceType("cpu-small", {}, SMALL, SMALL),
        "gpu-large": InstanceType(
            "gpu-large", {"agentpool": "gpu"}, SMALL, {"cpu": "8", "memory": "32Gi", "nvidia.com/gpu": 1}
        ),
    },
)


def read(text: str, known: KnownTypes | None = KNOWN) -> tuple[list[Workload], list[Finding]]:
    asks, findings = read_workloads(dedent(text), "f.yml")
    return list(asks), [*findings, *evaluate_workloads(asks, known)]


def ids(findings: list[Finding], *severities: Severity) -> list[str]:
    return [
        finding.id for finding in findings if finding.severity in (severities or (Severity.ERROR, Severity.WARNING))
    ]


JOB = """
    type: command
    command: python train.py < input > output
    environment: {image: docker.io/python}
    compute: azureml:k8s
    resources: {instance_type: cpu-small}
"""
DEPLOYMENT = """
    name: blue
    type: kubernetes
    endpoint_name: e
    model: {path: ./m}
    instance_type: cpu-small
"""
ARM_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/k8s"


class TestJobs:
    """Command jobs, sweeps and components."""

    @pytest.mark.parametrize("compute", ["k8s", "azureml:k8s", ARM_ID, f"azureml:{ARM_ID}"])
    def test_a_right_job(self, compute: str) -> None:
        (ask,), findings = read(JOB.replace("azureml:k8s", compute))
        assert (ask.kind, ask.compute_name, ask.instance_type, findings) == ("command", "k8s", "cpu-small", [])

    def test_without_an_instance_type_the_default_applies(self) -> None:
        (ask,), findings = read("command: x\ncompute: k8s\n")
        assert ask.instance_type is None
        assert [finding.id for finding in findings] == ["W121"]

    def test_the_block_of_2021_is_rewritten(self) -> None:
        (ask,), (found,) = read("command: x\ncompute: {target: 'azureml:k8s', instance_type: cpu-small}\n")
        assert (ask.compute_name, ask.instance_type, found.id) == ("k8s", "cpu-small", "W105")
        assert yaml.safe_load(found.fix) == {"compute": "azureml:k8s", "resources": {"instance_type": "cpu-small"}}

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("command: x\ncompute: k8s\ninstance_type: cpu-small\n", "f.yml:3:1"),
            ("command: x\ncompute: k8s\nresources:\n  instanceType: cpu-small\n", "f.yml:4:3"),
            ("command: x\ncompute: k8s\nresources:\n  instance-type: cpu-small\n", "f.yml:4:3"),
        ],
    )
    def test_instance_type_where_nobody_looks(self, text: str, place: str) -> None:
        _, findings = read(text)
        assert ids(findings) == ["W106"]
        assert yaml.safe_load(findings[0].fix) == {"resources": {"instance_type": "cpu-small"}}

    def test_no_compute(self) -> None:
        _, (found,) = read("command: x\nresources: {instance_type: cpu-small}\n")
        assert found.id == "W108"

    def test_a_component_needs_no_compute(self) -> None:
        schema = "$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json\n"
        assert ids(read(f"{schema}type: command\ncommand: x\n")[1]) == []

    @pytest.mark.parametrize("compute", ["local", "serverless", "azureml:serverless"])
    def test_what_runs_elsewhere_is_left_alone(self, compute: str) -> None:
        asks, findings = read(f"command: x\ncompute: {compute}\n")
        assert (asks, ids(findings, Severity.INFO)) == ([], ["W103"])

    def test_the_size_of_a_job_is_not_looked_at(self) -> None:
        assert ids(
            read("command: x\ncompute: k8s\nresources: {instance_type: cpu-small, requests: {cpu: 1}}\n")[1]
        ) == ["W107"]

    def test_a_sweep_has_its_type_in_the_trial(self) -> None:
        text = "type: sweep\ncompute: azureml:k8s\ntrial: {command: x, environment: azureml:e:1, resources: {instance_type: gpu-large, instance_count: 2}}\n"
        (ask,), findings = read(text)
        assert (ask.kind, ask.instance_type, ask.count, findings) == ("sweep", "gpu-large", 2, [])

    @pytest.mark.parametrize(
        "image",
        [
            "nvidia/cuda:12",
            "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04",
            "nvcr.io/nvidia/pytorch:24",
            "azureml:acpt-pytorch-2.2-cuda12.1@latest",
            "azureml:tensorflow-2.16-gpu:1",
        ],
    )
    def test_an_image_for_gpus_on_a_type_without(self, image: str) -> None:
        assert ids(
            read(
                f"command: x\ncompute: k8s\nenvironment: {{image: '{image}'}}\nresources: {{instance_type: cpu-small}}\n"
            )[1]
        ) == ["W123"]
        assert (
            ids(
                read(
                    f"command: x\ncompute: k8s\nenvironment: {{image: '{image}'}}\nresources: {{instance_type: gpu-large}}\n"
                )[1]
            )
            == []
        )


class TestNames:
    """The instance type that is named."""

    @pytest.mark.parametrize(
        ("name", "rule", "right"),
        [
            ("cpu-smal", "W122", "cpu-small"),
            ("gpularge", "W122", "gpu-large"),
            ("CPU_Small", "W120", "cpu-small"),
            ("defaultInstanceType", "W120", "defaultinstancetype"),
            ("Standard_DS3_v2", "W120", "defaultinstancetype"),
        ],
    )
    def test_wrong(self, name: str, rule: str, right: str) -> None:
        _, (found,) = read(JOB.replace("cpu-small", name))
        assert found.id == rule
        assert yaml.safe_load(found.fix) == {"resources": {"instance_type": right}}
        assert found.message.startswith("f.yml:6:")
        _, (found,) = read(DEPLOYMENT.replace("cpu-small", name))
        assert yaml.safe_load(found.fix) == {"instance_type": right}

    def test_unknown_tells_what_there_is(self) -> None:
        _, (found,) = read(JOB.replace("cpu-small", "zzz"))
        assert (
            "instance type 'zzz' not found on the compute k8s; existing types: cpu-small, defaultinstancetype, gpu-large."
            in found.message
        )

    def test_without_types_at_hand_names_are_taken_on_trust(self) -> None:
        assert read(JOB.replace("cpu-small", "zzz"), None)[1] == []

    @pytest.mark.parametrize("value", ["<instance type name>", "<your instance type>"])
    def test_placeholders(self, value: str) -> None:
        assert ids(read(JOB.replace("cpu-small", f"'{value}'"))[1]) == ["W104"]


PIPELINE = """
    type: pipeline
    settings: {default_compute: "azureml:k8s"}
    inputs: {where: "azureml:other", size: gpu-large, data: {type: uri_folder}}
    jobs:
      one: {command: x}
      two:
        type: command
        component: ./c.yaml
        compute: ${{parent.inputs.where}}
        resources: {instance_type: "${{parent.inputs.size}}"}
      three: {type: spark, resources: {instance_type: standard_e4s_v3}}
      four: {component: {command: y, resources: {instance_type: cpu-small}}}
"""


class TestPipelines:
    """Steps, with inputs put in."""

    def test_steps(self) -> None:
        asks, findings = read(PIPELINE)
        assert [(ask.name, ask.compute_name, ask.instance_type) for ask in asks] == [
            ("one", "k8s", None),
            ("two", "other", "gpu-large"),
            ("four", "k8s", "cpu-small"),
        ]
        assert ids(findings) == []

    @pytest.mark.parametrize("absent", ["nowhere", "data"])
    def test_an_input_without_value(self, absent: str) -> None:
        _, findings = read(PIPELINE.replace("inputs.where", f"inputs.{absent}"))
        assert ids(findings) == ["W109"]
        assert "existing inputs: where, size, data" in findings[0].message
        assert findings[0].message.startswith("f.yml:10:")

    def test_a_pipeline_within_takes_the_outer_values(self) -> None:
        text = """
            type: pipeline
            inputs: {c: k8s}
            jobs:
              outer:
                type: pipeline
                inputs: {d: "${{parent.inputs.c}}"}
                jobs:
                  inner: {command: x, compute: "${{parent.inputs.d}}", resources: {instance_type: cpu-small}}
        """
        (ask,), findings = read(text)
        assert (ask.compute_name, findings) == ("k8s", [])

    def test_no_jobs(self) -> None:
        assert ids(read("type: pipeline\njobs: {}\n")[1]) == ["W102"]


class TestDeployments:
    """Online deployments and endpoints."""

    def test_a_right_one(self) -> None:
        (ask,), findings = read(DEPLOYMENT)
        assert (ask.kind, ask.endpoint, findings) == ("deployment", "e", [])

    def test_without_type_it_is_a_managed_one(self) -> None:
        _, (found,) = read(dedent(DEPLOYMENT).replace("type: kubernetes\n", ""))
        assert (found.id, found.fix) == ("W111", "type: kubernetes")

    @pytest.mark.parametrize("kind", ["Kubernetes", "k8s"])
    def test_a_type_that_is_spelt_otherwise(self, kind: str) -> None:
        text = DEPLOYMENT.replace("type: kubernetes", f"type: {kind}")
        assert ids(read(text)[1]) == ["W111"]

    def test_a_managed_one_is_left_alone(self) -> None:
        asks, findings = read(DEPLOYMENT.replace("kubernetes", "managed"))
        assert (asks, ids(findings)) == ([], [])

    def test_the_schema_of_the_managed_ones(self) -> None:
        text = dedent(DEPLOYMENT) + "$schema: https://x/managedOnlineDeployment.schema.json\n"
        assert ids(read(text)[1]) == ["W112"]

    def test_instance_type_under_resources(self) -> None:
        text = dedent(DEPLOYMENT) + "resources: {instance_type: cpu-small, requests: {cpu: '1', memory: 1Gi}}\n"
        assert ids(read(text)[1]) == ["W106"]

    @pytest.mark.parametrize("key", ["resources: {requests: {cpu: '1'}}", "instance_type: cpu-small"])
    def test_an_endpoint_has_no_resources(self, key: str) -> None:
        assert ids(read(f"name: e\nauth_mode: key\ncompute: azureml:k8s\n{key}\n")[1]) == ["W110"]

    def test_an_endpoint_without_compute(self) -> None:
        assert ids(read("name: e\nauth_mode: key\n")[1]) == ["W108"]

    @pytest.mark.parametrize(
        ("resources", "rules", "right"),
        [
            ("{requests: {cpu: '0.5', memory: 1Gi}}", [], None),
            ("{requests: {cpu: 1, memory: 1Gi}}", ["W114"], {"requests": {"cpu": "1", "memory": "1Gi"}}),
            ("{requests: {cpu: '0.5', memory: 500MB}}", ["W115"], {"requests": {"cpu": "0.5", "memory": "500M"}}),
            ("{requests: {cpu: '0.5', memory: 2gi}}", ["W115"], {"requests": {"cpu": "0.5", "memory": "2Gi"}}),
            ("{requests: {cpu: '0.5'}}", ["W116"], {"requests": {"cpu": "0.5", "memory": "500Mi"}}),
            ("{limits: {cpu: '0.5', memory: 1Gi}}", ["W116", "W116"], None),
            ("{requests: {cpu: '0.5', memory: 500k}}", ["W115"], None),
            ("{requests: {cpu: '0.5', memory: 1Gi}, limits: {cpu: 400m}}", ["W117"], None),
            ("{requests: {cpu: '0.5', memory: 1Gi}, limits: {cpu: '2'}}", ["W119"], None),
            ("{requests: {cpu: '2', memory: 1Gi}}", ["W119"], None),
            ("{requests: {cpu: '0.5', memory: 1Gi}, limits: {nvidia.com/gpu: '1'}}", ["W119"], None),
            ("{requests: {cpu: '0.5', memory: 1Gi}, limits: {nvidia.com/gpu: '0'}}", [], None),
        ],
    )
    def test_resources(self, resources: str, rules: list[str], right: dict[str, Any] | None) -> None:
        _, findings = read(dedent(DEPLOYMENT) + f"resources: {resources}\n")
        assert ids(findings) == rules
        if right:
            assert yaml.safe_load(findings[0].fix) == {"resources": right}
        assert all(finding.message.startswith("f.yml:7:") for finding in findings if finding.id != "W121")

    @pytest.mark.parametrize(
        ("resources", "rules"),
        [
            ("{requests: {cpu: '1', memory: 1Gi}, limits: {nvidia.com/gpu: '1'}}", []),
            ("{requests: {cpu: '1', memory: 1Gi}, limits: {nvidia.com/gpu: 1}}", ["W114"]),
            ("{requests: {cpu: '1', memory: 1Gi, nvidia.com/gpu: '1'}}", ["W118"]),
            ("{requests: {cpu: '1', memory: 1Gi, nvidia.com/gpu: '1'}, limits: {nvidia.com/gpu: '1'}}", ["W128"]),
            ("{requests: {cpu: '1', memory: 1Gi}, limits: {nvidia.com/gpu: '0.5'}}", ["W115"]),
            ("{requests: {cpu: '1', memory: 1Gi}, limits: {nvidia.com/gpu: '2'}}", ["W119"]),
            ("{requests: {cpu: '1', memory: 1Gi}, limits: {gpu: '1'}}", ["W115"]),
        ],
    )
    def test_resources_with_gpu(self, resources: str, rules: list[str]) -> None:
        text = dedent(DEPLOYMENT).replace("cpu-small", "gpu-large") + f"resources: {resources}\n"
        assert ids(read(text)[1]) == rules

    def test_a_limit_that_equals_the_one_of_the_type_is_remarked(self) -> None:
        _, findings = read(dedent(DEPLOYMENT) + "resources: {requests: {cpu: '1', memory: 1Gi}, limits: {cpu: '1'}}\n")
        assert (ids(findings), ids(findings, Severity.INFO)) == ([], ["W127"])

    def test_an_mlflow_model_on_a_small_type(self) -> None:
        text = DEPLOYMENT.replace("{path: ./m}", "{path: ./m, type: mlflow_model}")
        assert ids(read(text)[1]) == ["W124", "W124"]

    def test_arm(self) -> None:
        told = {
            "id": "/subscriptions/s/x/onlineEndpoints/e/deployments/blue",
            "type": "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
            "sku": {"capacity": 3},
            "properties": {
                "endpointComputeType": "Kubernetes",
                "instanceType": "gpu-large",
                "containerResourceRequirements": {
                    "containerResourceRequests": {"cpu": "2", "memoryInGB": "8"},
                    "containerResourceLimits": {"cpu": "3", "memory": "8G", "gpu": "1"},
                },
            },
        }
        (ask,), findings = read(yaml.safe_dump(told))
        assert (ask.endpoint, ask.instance_type, ask.count, ids(findings)) == ("e", "gpu-large", 3, [])
        assert ask.resources == {
            "requests": {"cpu": "2", "memory": "8G"},
            "limits": {"cpu": "3", "memory": "8G", "nvidia.com/gpu": "1"},
        }
        told["properties"]["endpointComputeType"] = "Managed"  # type: ignore[index]
        assert read(yaml.safe_dump(told))[0] == []


class TestForm:
    """What is no workload at all."""

    @pytest.mark.parametrize(
        ("text", "rule", "says"),
        [
            ("", "W102", "no document"),
            ("# only a comment\n", "W102", "no document"),
            ("a: [1\n", "W101", "f.yml:2:1"),
            ("a: \tb: c\n", "W101", "invalid YAML"),
            ("d: 2024-13-99\n", "W101", "invalid YAML"),
            ("- a\n", "W102", "got a list"),
            ("just words\n", "W102", "got a string"),
            ("a: 1\n", "W102", "unknown kind"),
            ("apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType\n", "W102", "instance type"),
            ("type: automl\n", "W103", "select no instance type"),
        ],
    )
    def test_said(self, text: str, rule: str, says: str) -> None:
        asks, (found, *_) = read(text)
        assert (asks, found.id) == ([], rule)
        assert says in found.message

    def test_several_documents_and_json(self) -> None:
        asks, _ = read('{"command": "x", "compute": "k8s"}\n---\ncommand: y\ncompute: k8s\n')
        assert len(asks) == 2

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text("<>ab${}.:", max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(
                        [
                            "type",
                            "jobs",
                            "command",
                            "compute",
                            "resources",
                            "requests",
                            "limits",
                            "cpu",
                            "instance_type",
                            "trial",
                            "inputs",
                            "component",
                            "environment",
                            "model",
                            "scale_settings",
                            "settings",
                            "auth_mode",
                            "properties",
                        ]
                    ),
                    inner,
                    max_size=5,
                )
            ),
            max_leaves=20,
        ),
        st.sampled_from(
            [
                "",
                "pipeline",
                "command",
                "sweep",
                "kubernetes",
                "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments",
            ]
        ),
    )
    def test_nothing_makes_it_stumble(self, told: Any, kind: str) -> None:
        if isinstance(told, dict) and kind:
            told = {**told, "type": kind}
        asks, findings = read(yaml.safe_dump(told))
        assert asks or findings


class TestFit:
    """What the nodes have to do with it."""

    NODE = Node(
        "n",
        "general",
        {"agentpool": "general"},
        allocatable={"cpu": 4000, "memory": 16 * 1024**3 * 1000, "pods": 30000},
    )
    POOL = Node(
        "pool gpu",
        "gpu",
        {"agentpool": "gpu"},
        allocatable={"cpu": 24000, "memory": 200 * 1024**3 * 1000, "pods": 30000, "nvidia.com/gpu": 1000},
        exists=False,
        count=2,
    )

    def judged(self, text: str, *nodes: Node, **settings: str) -> list[str]:
        asks, _ = read_workloads(dedent(text), "f.yml")
        told = workload_placement({key.replace("_", "."): value for key, value in settings.items()})
        fits = {item.name: item for item in fit(KNOWN.types.values(), nodes, told)}
        return ids(evaluate_workloads(asks, KNOWN, fits, told))

    def test_fits(self) -> None:
        assert self.judged(JOB, self.NODE) == []

    def test_no_node(self) -> None:
        assert self.judged(JOB.replace("cpu-small", "gpu-large"), self.NODE) == ["N101", "N102"]

    def test_code_nine_of_a_job_that_waits_for_a_node(self) -> None:
        text = JOB.replace("cpu-small", "gpu-large")
        assert self.judged(text, self.NODE, self.POOL) == ["N102"]
        assert self.judged(text, self.NODE, self.POOL, amloperator_skipResourceValidation="True") == []

    def test_code_nine_is_of_jobs_alone(self) -> None:
        assert self.judged(DEPLOYMENT.replace("cpu-small", "gpu-large"), self.NODE, self.POOL) == []

    @pytest.mark.parametrize(("count", "rules"), [(4, []), (5, ["W125"])])
    def test_more_pods_than_there_is_room_for(self, count: int, rules: list[str]) -> None:
        assert self.judged(dedent(DEPLOYMENT) + f"instance_count: {count}\n", self.NODE) == rules


CORPUS = {
    # file below the corpus: what it asks for (kind, compute, instance type), the rules that speak against it
    "jobs/aml-kubernetes-simple-train.yml": ([("command", "tailwind-k8s", "<your instance type>")], ["W104"]),
    "jobs/docs-minimal.yaml": (
        [("command", "<Kubernetes-compute_target_name>", "<instance type name>")],
        ["W104", "W104"],
    ),
    "jobs/nvidia-robotics-lerobot-infer.yaml": ([("command", "cpu-inference", None)], []),
    "jobs/physical-ai-isaaclab-evaluation.yaml": ([("command", "cpu-cluster", "gpuspot")], ["W122"]),
    "jobs/physical-ai-lerobot-eval.yaml": ([("command", "cpu-inference", None)], []),
    "jobs/physical-ai-lerobot-pipeline.yaml": ([("command", "cpu-cluster", None)] * 3, []),
    "jobs/physical-ai-lerobot-train.yaml": ([("command", "cpu-cluster", None)], []),
    "jobs/physical-ai-osmo-proxy-job.yaml": ([("command", "k8s-compute", "cpu-standard")], ["W122"]),
    "jobs/physical-ai-train.yaml": ([("command", "cpu-cluster", None)], []),
    "jobs/physical-ai-validate.yaml": ([("command", "k8s-osmorobo-tst", "gpuspot")], ["W122"]),
    "deployments/aks-hci-cifar10-pt.yml": (
        [("deployment", None, "<instanceTypeName>")],
        ["W104", "W104", "W112", "W134"],
    ),
    "deployments/aks-hci-cli-mnist.yml": (
        [("deployment", None, "<your instance type>")],
        ["W104", "W104", "W112", "W134"],
    ),
    "deployments/aks-hci-nb-mnist.yml": (
        [("deployment", None, "<instanceTypeName>")],
        ["W104", "W104", "W112", "W134"],
    ),
    "deployments/aks-hci-pipeline.yml": (
        [("deployment", None, "<instanceTypeName>")],
        ["W104", "W104", "W112", "W134"],
    ),
    "deployments/aml-kubernetes-gpu-endpoint.yml": ([("endpoint", "<your GPU compute target name>", None)], ["W104"]),
    "deployments/aml-kubernetes-simple-flow-blue.yml": ([("deployment", None, "defaultinstancetype")], []),
    "deployments/azureml-examples-blue.yml": ([("deployment", None, None)], []),
    "deployments/azureml-examples-endpoint.yml": ([("endpoint", "inferencecompute", None)], []),
    "deployments/azureml-examples-green.yml": ([("deployment", None, "defaultinstancetype")], []),
    "deployments/docs-resources.yaml": ([("deployment", None, "<instance type name>")], ["W104", "W104", "W111"]),
    "deployments/oneuptime-endpoint.yaml": ([("endpoint", "aks-compute", None)], []),
    "deployments/sdk-online_deployment_k8s_1.yaml": ([("deployment", None, None)], []),
    "deployments/sdk-online_deployment_kubernetes_rest.json": (
        [("deployment", None, "Standard_DS3_v2")],
        ["W120", "W128"],
    ),
}


class TestCorpus:
    """Real files, read where they lie."""

    @pytest.mark.parametrize("name", CORPUS)
    def test_outcome(self, name: str, shared: Path) -> None:
        asked, rules = CORPUS[name]
        asks, findings = read((shared / "corpus" / name).read_text(encoding="utf-8"))
        assert [(ask.kind, ask.compute_name, ask.instance_type) for ask in asks] == asked
        assert ids(findings) == rules

    def test_every_file_has_an_expectation(self, shared: Path) -> None:
        there = {
            f"{part}/{file.name}" for part in ("jobs", "deployments") for file in (shared / "corpus" / part).iterdir()
        }
        assert there == set(CORPUS)
