"""The findings on documents of instance types: their place, their message and their fix."""

from __future__ import annotations

import pytest

from azext_amlk8s.instance_types.documents import read_documents

HEAD = "apiVersion: amlarc.azureml.com/v1alpha1\nkind: InstanceType\n"
NAMED = f"{HEAD}metadata: {{name: small}}\n"
SIZE = '{cpu: "2", memory: 4Gi}'
RESOURCES = f"  resources:\n    requests: {SIZE}\n    limits: {SIZE}\n"
SPEC = f"spec:\n{RESOURCES}"
SELECTOR = "  nodeSelector: {a: b}\n"
NAME_FORM = "expected lower-case letters, digits, '-' and '.', with a letter or digit at both ends."


def sized(requests: str = SIZE, limits: str = SIZE, selector: str = "") -> str:
    return f"{NAMED}spec:\n{selector}  resources:\n    requests: {requests}\n    limits: {limits}\n"


def gpus(requests: str = "", limits: str = "") -> str:
    """A type with a node selector, and a number of GPUs in its requests and its limits."""
    sizes = (SIZE.replace("}", f", nvidia.com/gpu: {number}}}") if number else SIZE for number in (requests, limits))
    return sized(*sizes, SELECTOR)


# Case, text; ID and severity, place, message and fix of each finding.
DOCUMENTS: dict[str, tuple[str, list[tuple[str, str, str, str]]]] = {
    "requests are missing": (
        NAMED + 'spec:\n  resources:\n    limits: {cpu: "2", memory: 4Gi}\n',
        [
            (
                "I112 error",
                "6:5 (spec.resources.requests)",
                "requests must have cpu and memory.",
                'requests:\n  cpu: "1"\n  memory: 2Gi',
            )
        ],
    ),
    "a quantity with another unit": (
        sized('{cpu: "2", memory: 500MB}'),
        [
            (
                "I113 error",
                "6:34 (spec.resources.requests.memory)",
                "requests.memory: invalid quantity '500MB'; expected a Kubernetes quantity above zero.",
                'memory: "500M"',
            )
        ],
    ),
    "a quantity in lower case": (
        sized('{cpu: "1", memory: 2gi}'),
        [
            (
                "I113 error",
                "6:34 (spec.resources.requests.memory)",
                "requests.memory: invalid quantity '2gi'; expected a Kubernetes quantity above zero.",
                'memory: "2Gi"',
            )
        ],
    ),
    "kilobytes": (
        sized('{cpu: "1", memory: 64KB}'),
        [
            (
                "I113 error",
                "6:34 (spec.resources.requests.memory)",
                "requests.memory: invalid quantity '64KB'; expected a Kubernetes quantity above zero.",
                'memory: "64k"',
            )
        ],
    ),
    "a unit of cpu": (
        sized("{cpu: 2GB, memory: 4Gi}"),
        [
            (
                "I113 error",
                "6:21 (spec.resources.requests.cpu)",
                "requests.cpu: invalid quantity '2GB'; expected a Kubernetes quantity above zero.",
                "",
            )
        ],
    ),
    "too many points": (
        sized('{cpu: "1", memory: 1.2.3MB}'),
        [
            (
                "I113 error",
                "6:34 (spec.resources.requests.memory)",
                "requests.memory: invalid quantity '1.2.3MB'; expected a Kubernetes quantity above zero.",
                "",
            )
        ],
    ),
    "zero": (
        sized("{cpu: 0, memory: 4Gi}"),
        [
            (
                "I113 error",
                "6:21 (spec.resources.requests.cpu)",
                "requests.cpu: invalid quantity '0'; expected a Kubernetes quantity above zero.",
                "",
            )
        ],
    ),
    "an octal spelling": (
        sized("{cpu: 01, memory: 4Gi}"),
        [
            (
                "I114 warning",
                "6:21 (spec.resources.requests.cpu)",
                "requests.cpu: expected a string, got the number 01.",
                'cpu: "01"',
            )
        ],
    ),
    "a Boolean": (
        sized("{cpu: true, memory: 4Gi}"),
        [
            (
                "I113 error",
                "6:21 (spec.resources.requests.cpu)",
                "requests.cpu: invalid quantity 'true'; expected a Kubernetes quantity above zero.",
                "",
            )
        ],
    ),
    "requests that are null": (
        sized("~"),
        [
            (
                "I112 error",
                "6:15 (spec.resources.requests)",
                "requests must have cpu and memory.",
                'requests:\n  cpu: "1"\n  memory: 2Gi',
            )
        ],
    ),
    "an empty GPU": (
        sized('{cpu: "2", memory: 4Gi, nvidia.com/gpu: ""}'),
        [
            (
                "I117 error",
                "6:55 (spec.resources.requests.nvidia.com/gpu)",
                "requests.nvidia.com/gpu: invalid value ''; expected a whole number.",
                "nvidia.com/gpu: 1",
            )
        ],
    ),
    "GPUs beyond any number": (
        gpus(limits="9223372036854775808"),
        [
            (
                "I117 error",
                "8:53 (spec.resources.limits.nvidia.com/gpu)",
                "limits.nvidia.com/gpu: invalid value '9223372036854775808'; expected a whole number.",
                "nvidia.com/gpu: 1",
            )
        ],
    ),
    "the most GPUs": (gpus(limits="9223372036854775807"), []),
    "a GPU request without a limit": (
        gpus(requests="1"),
        [
            (
                "I118 error",
                "7:55 (spec.resources.requests.nvidia.com/gpu)",
                "requests.nvidia.com/gpu: 1 differs from limits.nvidia.com/gpu: none; set it in limits only.",
                "limits:\n  nvidia.com/gpu: 1",
            )
        ],
    ),
    "a GPU request that repeats the limit": (
        gpus(requests="1", limits="1"),
        [
            (
                "I128 warning",
                "7:55 (spec.resources.requests.nvidia.com/gpu)",
                "requests.nvidia.com/gpu is ignored; set it in limits only.",
                "",
            )
        ],
    ),
    "a limit without a GPU request of zero": (
        gpus(requests="0", limits="1"),
        [
            (
                "I118 error",
                "7:55 (spec.resources.requests.nvidia.com/gpu)",
                "requests.nvidia.com/gpu: 0 differs from limits.nvidia.com/gpu: 1; set it in limits only.",
                "Remove requests.nvidia.com/gpu.",
            )
        ],
    ),
    "a limit and a GPU request of null": (
        gpus(requests="~", limits="1"),
        [
            (
                "I118 error",
                "7:55 (spec.resources.requests.nvidia.com/gpu)",
                "requests.nvidia.com/gpu: null differs from limits.nvidia.com/gpu: 1; set it in limits only.",
                "Remove requests.nvidia.com/gpu.",
            )
        ],
    ),
    "a request above its limit": (
        sized('{cpu: "3", memory: 4Gi}'),
        [
            (
                "I120 error",
                "6:21 (spec.resources.requests.cpu)",
                "requests.cpu: 3 is above limits.cpu: 2.",
                'requests:\n  cpu: "2"',
            )
        ],
    ),
    "a name that is a number": (
        HEAD + "metadata: {name: 7}\n" + SPEC,
        [("I110 error", "3:18 (metadata.name)", "invalid name '7'; expected a string.", 'name: "7"')],
    ),
    "a name with capitals": (
        HEAD + "metadata: {name: Big_Type-}\n" + SPEC,
        [
            (
                "I110 error",
                "3:18 (metadata.name)",
                f"invalid name 'Big_Type-'; {NAME_FORM}",
                "name: big-type",
            )
        ],
    ),
    "the name of the default in 2021": (
        HEAD + "metadata: {name: defaultInstanceType}\n" + SPEC,
        [
            (
                "I110 error",
                "3:18 (metadata.name)",
                f"invalid name 'defaultInstanceType'; {NAME_FORM}",
                "name: defaultinstancetype",
            )
        ],
    ),
    "a name without any letter": (
        HEAD + 'metadata: {name: "--"}\n' + SPEC,
        [
            (
                "I110 error",
                "3:18 (metadata.name)",
                f"invalid name '--'; {NAME_FORM}",
                "name: instance-type",
            )
        ],
    ),
    "a long name": (
        HEAD + f"metadata: {{name: {'a' * 254}}}\n" + SPEC,
        [
            (
                "I110 error",
                "3:18 (metadata.name)",
                f"invalid name 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'; {NAME_FORM}",
                f"name: {'a' * 253}",
            )
        ],
    ),
    "a namespace": (
        HEAD + "metadata: {name: small, namespace: jobs}\n" + SPEC,
        [
            (
                "I111 warning",
                "3:36 (metadata.namespace)",
                "metadata.namespace is ignored: instance types are not namespaced.",
                "",
            )
        ],
    ),
    "a selector with a key that is a number": (
        NAMED + "spec:\n  nodeSelector: {7: a}\n" + RESOURCES,
        [("I116 error", "5:21 (spec.nodeSelector.7)", "nodeSelector: expected a string as key, got 7.", '"7": "a"')],
    ),
    "a selector with a list": (
        NAMED + "spec:\n  nodeSelector: {a: [b]}\n" + RESOURCES,
        [("I116 error", "5:21 (spec.nodeSelector.a)", "nodeSelector.a: expected a string, got a list.", 'a: "VALUE"')],
    ),
    "a label of the object that is a number": (
        HEAD + "metadata: {name: small, labels: {team: 7}}\n" + SPEC,
        [("I130 error", "3:40 (metadata.labels.team)", "label team: expected a string, got 7.", "")],
    ),
    "a label of the object that is invalid": (
        HEAD + 'metadata: {name: small, labels: {team: "a b"}}\n' + SPEC,
        [("I130 error", "3:40 (metadata.labels.team)", "invalid label 'team=a b'.", "")],
    ),
    "a label with an invalid key": (
        NAMED + 'spec:\n  nodeSelector: {"a b": c}\n' + RESOURCES,
        [("I130 error", "5:25 (spec.nodeSelector.a b)", "invalid label 'a b=c'.", "")],
    ),
    "an annotation that is a number": (
        HEAD + "metadata:\n  name: small\n  annotations: {why: 7}\n" + SPEC,
        [
            (
                "I146 error",
                "5:22 (metadata.annotations.why)",
                "annotation 'why' must be a string, got a number.",
                'why: "7"',
            )
        ],
    ),
    "an annotation that is a list": (
        HEAD + "metadata:\n  name: small\n  annotations: {why: [7]}\n" + SPEC,
        [("I146 error", "5:22 (metadata.annotations.why)", "annotation 'why' must be a string, got a list.", "")],
    ),
    "an annotation that is null": (HEAD + "metadata:\n  name: small\n  annotations: {why: ~}\n" + SPEC, []),
    "metadata that is a text": (
        HEAD + "metadata: small\n" + SPEC,
        [("I127 error", "3:11 (metadata)", "metadata must be a mapping, got a string.", "")],
    ),
    "labels that are a list": (
        HEAD + "metadata:\n  name: small\n  labels: [a]\n" + SPEC,
        [("I127 error", "5:11 (metadata.labels)", "labels must be a mapping, got a list.", "")],
    ),
    "annotations that are a text": (
        HEAD + "metadata:\n  name: small\n  annotations: a\n" + SPEC,
        [("I127 error", "5:16 (metadata.annotations)", "annotations must be a mapping, got a string.", "")],
    ),
    "no spec": (
        NAMED,
        [
            (
                "I127 error",
                "1:1 (spec)",
                "spec is missing.",
                'spec:\n  resources:\n    requests: {cpu: "1", memory: 2Gi}\n    limits: {cpu: "1", memory: 2Gi}',
            )
        ],
    ),
    "a spec that is a list": (
        NAMED + "spec: [a]\n",
        [("I127 error", "4:7 (spec)", "spec must be a mapping, got a list.", "")],
    ),
    "resources that are a text": (
        NAMED + "spec:\n  resources: a\n",
        [("I127 error", "5:14 (spec.resources)", "resources must be a mapping, got a string.", "")],
    ),
    "GPU nodes without a GPU": (
        NAMED + 'spec:\n  nodeSelector: {gpuNode: "true"}\n' + RESOURCES,
        [
            (
                "I129 warning",
                "5:27 (spec.nodeSelector.gpuNode)",
                "selects GPU nodes (gpuNode=true) but requests no GPU, so its pods cannot use one.",
                "limits:\n  nvidia.com/gpu: 1",
            )
        ],
    ),
    "a GPU without a selector": (
        sized(limits='{cpu: "2", memory: 4Gi, nvidia.com/gpu: 1}'),
        [
            (
                "I119 warning",
                "4:1 (spec)",
                "no nodeSelector: its pods run on any node that has a GPU.",
                "Add a nodeSelector with the label of the GPU pool.",
            )
        ],
    ),
    "a placeholder": (
        NAMED + "spec:\n  nodeSelector: {agentpool: <pool>}\n" + RESOURCES,
        [("I121 error", "5:29 (spec.nodeSelector.agentpool)", "agentpool: replace the placeholder '<pool>'.", "")],
    ),
    "tolerations": (
        NAMED
        + "spec:\n  tolerations:\n  - {key: sku, operator: Equal, value: gpu, effect: NoSchedule}\n  - a\n"
        + RESOURCES,
        [
            (
                "I122 warning",
                "5:3 (spec.tolerations)",
                "tolerations are ignored: they are a setting of the extension.",
                "Update the extension with: --config 'workLoadToleration[0].key=sku' 'workLoadToleration[0].operator=Equal' 'workLoadToleration[0].value=gpu' 'workLoadToleration[0].effect=NoSchedule'",
            )
        ],
    ),
    "tolerations that are a mapping": (
        NAMED + "spec:\n  tolerations: {key: sku}\n" + RESOURCES,
        [
            (
                "I122 warning",
                "5:16 (spec.tolerations)",
                "tolerations are ignored: they are a setting of the extension.",
                "Remove tolerations.",
            )
        ],
    ),
    "a misspelt key": (
        NAMED + "spec:\n  node_selector: {a: b}\n" + RESOURCES,
        [
            (
                "I123 error",
                "5:18 (spec.node_selector)",
                "unknown key 'node_selector'; expected nodeSelector or resources. Did you mean 'nodeSelector'?",
                "nodeSelector:",
            )
        ],
    ),
    "a key like no other": (
        NAMED + "spec:\n  zzz: 1\n" + RESOURCES,
        [("I123 error", "5:8 (spec.zzz)", "unknown key 'zzz'; expected nodeSelector or resources.", "")],
    ),
    "tolerations in resources": (
        NAMED
        + 'spec:\n  resources:\n    tolerations: []\n    requests: {cpu: "2", memory: 4Gi}\n    limits: {cpu: "2", memory: 4Gi}\n',
        [
            (
                "I123 error",
                "6:18 (spec.resources.tolerations)",
                "unknown key 'tolerations'; expected requests or limits.",
                "",
            )
        ],
    ),
    "too small for MLflow": (
        sized('{cpu: "1", memory: 2Gi}', '{cpu: "1", memory: 2Gi}'),
        [
            (
                "I126 info",
                "7:19 (spec.resources.limits.cpu)",
                "limits.cpu: 1 is less than the 2 that MLflow deployments need.",
                "",
            ),
            (
                "I126 info",
                "7:32 (spec.resources.limits.memory)",
                "limits.memory: 2Gi is less than the 4G that MLflow deployments need.",
                "",
            ),
        ],
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document(name: str) -> None:
    text, expected = DOCUMENTS[name]
    _, findings = read_documents(text, "t.yaml")
    found = [
        (
            f"{finding.id} {finding.severity.value}",
            finding.subject.removeprefix("t.yaml:"),
            finding.message.removeprefix(f"{finding.subject}: "),
            finding.fix,
        )
        for finding in findings
    ]
    assert found == expected
