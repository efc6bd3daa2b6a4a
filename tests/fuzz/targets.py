"""What is fuzzed: each target reads one kind of input that others have written, and raises nothing but its own errors."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.fuzz import mutate
from tests.fuzz.file_targets import FILE_TARGETS
from tests.fuzz.inputs import JSON, SEEDS, SUBSCRIPTION, Target, changed_documents, changed_texts


def _settings_arguments(words: list[str]) -> None:
    from azext_amlk8s.settings import evaluate_rules, evaluate_version_rules, read_settings

    half = len(words) // 2
    settings, _ = read_settings(words[:half], words[half:], allow_unknown=len(words) % 2 == 0)
    evaluate_rules(settings)
    evaluate_version_rules(words[0] if words else None, None)


def _settings_file(text: str) -> None:
    from azext_amlk8s.settings import Document, evaluate_rules, read_settings

    settings, _ = read_settings([], [], config_file=Document("f.yaml", text), protected_file=Document("p.json", text))
    evaluate_rules(settings)


def _instance_type_file(text: str) -> None:
    from azext_amlk8s.instance_types.conversion import as_list, convert
    from azext_amlk8s.instance_types.documents import Text, read_documents

    read_documents(text, "f.yaml")
    types, _ = convert([Text("f.yaml", text)])
    as_list(types)


def _workload_file(text: str) -> None:
    from azext_amlk8s.workloads import KnownTypes, evaluate_workloads, read_workloads

    workloads, _ = read_workloads(text, "job.yaml")
    evaluate_workloads(workloads, KnownTypes("files"))


def _message(text: str) -> None:
    from azext_amlk8s.diagnosis import explain, read_helm
    from azext_amlk8s.redaction import redact_text

    explain(text)
    read_helm(text)
    redact_text(text)


def _arm_error(values: list[Any]) -> None:
    from azext_amlk8s.diagnosis import compute_errors, explain_failure, extension_errors, unfold_error

    for value in values:
        explain_failure([*compute_errors(value), *extension_errors(value), *unfold_error(value)])


def _health_report(values: list[Any]) -> None:
    from azext_amlk8s.diagnosis import explain_failure, read_reports, reports_for

    for value in values:
        explain_failure(reports=reports_for(read_reports(value), "create"))


def _redaction(values: list[Any]) -> None:
    from azext_amlk8s.redaction import redact, redact_body, redact_headers, register_secrets
    from azext_amlk8s.registered_secrets import forget_secrets

    for value in values:
        redact(value)
        redact_body(json.dumps(value) if not isinstance(value, str) else value)
        redact_headers(value if isinstance(value, dict) else {"x": value})
        register_secrets(value)
    forget_secrets()


def _kubeconfig(text: str) -> None:
    from azext_amlk8s.kubernetes.connect import connect

    connect(config_text=text)


@dataclass(frozen=True)
class Response:
    """As much of an HTTP response as the checks of its shape read."""

    content: Any
    status_code: int = 200
    reason: str = "OK"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    request: Any = dataclasses.field(default_factory=lambda: SimpleNamespace(url="https://localhost/x"))

    def json(self) -> Any:
        """The content, decoded."""
        return self.content


def _from_cluster(values: list[Any]) -> list[Mapping[str, Any]]:
    """The objects of a list, as the client of the cluster lets them pass. Raises UnexpectedResponse."""
    from azext_amlk8s.kubernetes.responses import Response as ClusterResponse
    from azext_amlk8s.kubernetes.responses import json_list

    return list(json_list(ClusterResponse("localhost", 200, "OK", {}, json.dumps({"items": values}).encode()))[0])


def _from_azure(values: list[Any]) -> list[dict[str, Any]]:
    """The resources of a list, as the client of Azure lets them pass. Raises UnexpectedResponse."""
    from azext_amlk8s.azure.responses import json_list

    return json_list(Response({"value": values}))[0]


def _cluster_objects(values: list[Any]) -> None:
    from azext_amlk8s.diagnosis import find_failures, group_pods_by_cause
    from azext_amlk8s.instance_types.fit import fit
    from azext_amlk8s.instance_types.model import types_of_objects
    from azext_amlk8s.instance_types.proposal import propose
    from azext_amlk8s.instance_types.usage import users_of
    from azext_amlk8s.scheduling.nodes import nodes_from_objects
    from azext_amlk8s.scheduling.placement import workload_placement

    objects = _from_cluster(values)
    find_failures(objects, objects)
    group_pods_by_cause(objects, objects)
    nodes = nodes_from_objects(objects, objects)
    placement = workload_placement()
    propose(nodes, placement)
    fit(types_of_objects(objects).values(), nodes, placement)
    users_of("small", objects)


@functools.cache
def _checks() -> tuple[Any, ...]:
    from azext_amlk8s.checks.catalogue import CHECKS

    return tuple(CHECKS)


def _check_facts(values: tuple[list[Any], list[Any]]) -> None:
    """All checks over facts that are lists of such objects and resources, or one of them."""
    from azext_amlk8s.checks import facts as keys
    from azext_amlk8s.checks.model import evaluate
    from azext_amlk8s.knowledge.clouds import find_cloud
    from azext_amlk8s.refs import ClusterRef, WorkspaceRef

    cluster = ClusterRef(SUBSCRIPTION, "ml-rg", "managedClusters", "aks")
    target = keys.CheckTarget(cluster, WorkspaceRef(SUBSCRIPTION, "ml-rg", "ml-ws"))
    objects, resources = _from_cluster(values[0]), _from_azure(values[1])
    single = {keys.CLUSTER, keys.WORKSPACE, keys.FEATURE, keys.RELAY, keys.HEALTH, keys.VOLCANO, keys.ROUTER_ROLE}
    single |= {keys.CONSTRAINTS, keys.ARC_AGENTS, keys.AVAILABLE_TYPE, keys.KUBERNETES_VERSIONS}
    plain = {keys.CLI: "2.80.0", keys.KUBERNETES: "https://c", keys.TLS_SECRET: None, keys.CLOUD: find_cloud()}
    plain |= {keys.DRY_RUNS: (), keys.PROBES: (), keys.ASSIGNMENTS: {"x": resources}}
    facts: dict[Any, Any] = {}
    for fact in {fact for check in _checks() for fact in check.facts}:
        found = objects if fact in keys.IN_CLUSTER else resources
        facts[fact] = next(iter(found), {}) if fact in single else found
    facts[keys.CLUSTER] = {"id": cluster.id, "name": "aks", "location": "x", **facts.get(keys.CLUSTER, {})}
    for check in _checks():
        evaluate(check, keys.Facts(target, {**facts, **plain}))


def _arm_resources(values: list[Any]) -> None:
    from azext_amlk8s import computes, settings
    from azext_amlk8s.compute_view import add_studio_url, redact_compute
    from azext_amlk8s.knowledge.clouds import find_cloud
    from azext_amlk8s.refs import ClusterRef, ComputeRef, WorkspaceRef
    from azext_amlk8s.settings.model import Settings

    ref = ComputeRef(WorkspaceRef(SUBSCRIPTION, "ml-rg", "ml-ws"), "k8s-compute")
    cluster = ClusterRef(SUBSCRIPTION, "ml-rg", "managedClusters", "aks")
    request = computes.AttachRequest(ref, cluster, "default", None, None, None, "")
    given = Settings({"enableTraining": "True"}, {})
    resources = _from_azure(values)
    for value in resources:
        deployed = settings.read_deployed(value)
        settings.find_differences(given, deployed)
        settings.plan_update(given, deployed, {})
        settings.cluster_facts_from_resources(
            {"id": "x", "name": "x", "location": "x", **value}, "managedClusters", resources, resources
        )
        computes.matches_request(value, request)
        computes.check_existing(value, request, replace=True)
        computes.keep_existing(request, value, namespace=True)
        redact_compute(value)
        add_studio_url({"id": "x", "name": "x", **value}, find_cloud())


def _certificate(content: bytes) -> None:
    from azext_amlk8s.settings.certificates import identify, read_chain, read_key

    identify(content)
    for read in (read_chain, read_key):
        try:
            read(content)
        except ValueError:
            continue


def _names(text: str) -> None:
    from azext_amlk8s import computes
    from azext_amlk8s.scheduling.amounts import thousandths
    from azext_amlk8s.scheduling.quantities import amount
    from azext_amlk8s.shell import join

    computes.parse_cluster_id(text)
    computes.parse_identity(None, text)
    amount(text)
    thousandths(text)
    join([text])


def _kubeconfigs() -> tuple[str, ...]:
    user: dict[str, Any] = {"token": "x"}
    plugin = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin", "args": ["get-token"]}}
    provider = {"auth-provider": {"name": "azure", "config": {"a": "b"}}}
    files = []
    for entry in (user, plugin, provider, {"client-certificate": "/none", "client-key": "/none"}):
        files.append(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
                    "users": [{"name": "u", "user": entry}],
                    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
                    "current-context": "x",
                }
            )
        )
    return tuple(files)


def _kubeconfig_inputs() -> st.SearchStrategy[str]:
    documents = st.builds(
        lambda seed: yaml.safe_dump(
            mutate.change_document(yaml.safe_load(_kubeconfigs()[seed % 4]), seed // 1000), allow_unicode=False
        ),
        SEEDS,
    )
    return st.one_of(documents, changed_texts(_kubeconfigs))


def _setting_words() -> tuple[str, ...]:
    from azext_amlk8s.settings.catalogue import list_settings

    keys = [str(setting["key"]) for setting in list_settings()]
    return tuple(f"{key}={value}" for key in keys for value in ("True", "yes", "", "nodePort", "a,b=c", "{x: y}"))


def _reports() -> tuple[Any, ...]:
    return tuple({"data": {"reports-test": text, "reports-pre-install": text}} for text in mutate.messages())


def _errors() -> tuple[Any, ...]:
    bodies = [
        {"error": {"code": "A", "message": text, "details": [{"code": "B", "message": text}]}}
        for text in mutate.messages()
    ]
    properties = [
        {"properties": {"provisioningErrors": [body], "statuses": [body], "errorInfo": body}} for body in bodies
    ]
    return (*bodies, *properties)


def _objects() -> tuple[Any, ...]:
    return mutate.objects()


# The clients reject a response of another shape before anything reads it.
SHAPE = ("UnexpectedResponse",)
TARGETS: tuple[Target, ...] = (
    Target("settings as arguments", st.lists(changed_texts(_setting_words), max_size=6), _settings_arguments),
    Target("settings files", changed_texts(mutate.files_of_users), _settings_file),
    Target("instance type files", changed_texts(mutate.files_of_users), _instance_type_file),
    Target("job and deployment files", changed_texts(mutate.files_of_users), _workload_file),
    Target("messages of Azure and Helm", changed_texts(mutate.messages), _message),
    Target("errors of Azure", changed_documents(_errors), _arm_error),
    Target("health reports", changed_documents(_reports), _health_report),
    Target(
        "secrets",
        st.one_of(changed_documents(_errors), changed_documents(_objects), st.lists(JSON, max_size=2)),
        _redaction,
    ),
    Target("kubeconfigs", _kubeconfig_inputs(), _kubeconfig, ("KubeconfigUnusable",)),
    Target("pods, nodes and events", changed_documents(_objects, 6), _cluster_objects, SHAPE),
    Target(
        "facts of checks",
        st.tuples(changed_documents(_objects, 4), changed_documents(mutate.resources, 3)),
        _check_facts,
        SHAPE,
    ),
    Target("resources of Azure", changed_documents(mutate.resources), _arm_resources, SHAPE),
    Target(
        "certificates",
        st.one_of(
            st.binary(max_size=300), changed_texts(mutate.messages).map(lambda text: text.encode(errors="replace"))
        ),
        _certificate,
    ),
    Target("names, IDs and amounts", st.text(max_size=300), _names),
    *FILE_TARGETS,
)
TARGET_NAMES = [target.name for target in TARGETS]
# One of the fields of Target is a strategy, which cannot be compared.
assert len(set(TARGET_NAMES)) == len(TARGETS) and dataclasses.is_dataclass(Target)
