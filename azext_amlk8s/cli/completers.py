"""Completion of option values: from the knowledge of the package, the kubeconfig, and one request to Azure."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace

# A shell that waits longer for Tab seems to hang.
REQUEST_SECONDS = 1.0
ARC = "Microsoft.Kubernetes/connectedClusters"
AKS = "Microsoft.ContainerService/managedClusters"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
EXTENSIONS_VERSION = "2023-05-01"
RESOURCES_VERSION = "2021-04-01"
COMPUTES_VERSION = "2024-10-01"


def setting_pairs(prefix: str, **_: Any) -> list[str]:
    """`key=value` for each value of the settings that begin with `prefix`, `key=` where any value is valid."""
    return _setting_pairs(prefix, {"config", "either"})


def protected_setting_pairs(prefix: str, **_: Any) -> list[str]:
    """`key=` of the protected settings that begin with `prefix`."""
    return _setting_pairs(prefix, {"protected"})


def _setting_pairs(prefix: str, sections: set[str]) -> list[str]:
    from azext_amlk8s.settings.schema import schema, values_of_key

    properties = schema()["properties"]
    keys = [key for key, entry in properties.items() if entry.get("x-section") in sections]
    return _matching([f"{key}={value}" for key in keys for value in values_of_key(key) or ("",)], prefix)


def setting_names(prefix: str, **_: Any) -> list[str]:
    """The settings that begin with `prefix`."""
    from azext_amlk8s.settings.schema import known_keys

    return _matching(known_keys(), prefix)


def codes(prefix: str, **_: Any) -> list[str]:
    """The error codes and the IDs of rules that begin with `prefix`."""
    from azext_amlk8s.diagnosis import entries
    from azext_amlk8s.rules import all_rules

    return _matching(sorted({entry.code for entry in entries()} | {rule.id for rule in all_rules()}), prefix)


def check_ids(prefix: str, **_: Any) -> list[str]:
    """The categories and IDs of checks that begin with `prefix`."""
    from azext_amlk8s.checks import check_names

    return _matching(list(check_names()), prefix)


def context_names(prefix: str, **_: Any) -> list[str]:
    """The contexts of the kubeconfig that begin with `prefix`."""
    return _matching(_or_nothing(_contexts), prefix)


def _contexts() -> list[str]:
    import os

    from yaml import safe_load

    path = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or os.path.expanduser("~/.kube/config")
    with open(path, encoding="utf-8") as file:
        return [context["name"] for context in safe_load(file)["contexts"]]


def cluster_names(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The AKS and Arc-connected clusters of the resource group that begin with `prefix`."""
    types = [name for name in (AKS, ARC) if name.endswith(f"/{_cluster_type(parsed_args)}")] or [AKS, ARC]
    return _matching(_resource_names(parsed_args, types), prefix)


def workspace_names(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The workspaces of the resource group that begin with `prefix`."""
    return _matching(_resource_names(parsed_args, [WORKSPACES]), prefix)


def compute_names(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The Kubernetes computes of the workspace that begin with `prefix`."""
    group, workspace = _group(parsed_args), getattr(parsed_args, "workspace_name", None)
    path = f"{group}/providers/{WORKSPACES}/{workspace}/computes?api-version={COMPUTES_VERSION}"
    computes = _values(parsed_args, path) if group and workspace else []
    kinds = [item for item in computes if str((item.get("properties") or {}).get("computeType")) == "Kubernetes"]
    return _matching([str(item["name"]) for item in kinds], prefix)


def extension_names(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The Azure Machine Learning extensions of the cluster that begin with `prefix`."""
    from azext_amlk8s.refs import EXTENSION_TYPE

    group, cluster = _group(parsed_args), getattr(parsed_args, "cluster_name", None)
    provider = ARC if _cluster_type(parsed_args) == "connectedClusters" else AKS
    path = (
        f"{group}/providers/{provider}/{cluster}/providers/Microsoft.KubernetesConfiguration/extensions"
        f"?api-version={EXTENSIONS_VERSION}"
    )
    extensions = _values(parsed_args, path) if group and cluster else []
    ours = [
        item
        for item in extensions
        if str((item.get("properties") or {}).get("extensionType")).lower() == EXTENSION_TYPE
    ]
    return _matching([str(item["name"]) for item in ours], prefix)


def instance_type_names(prefix: str, parsed_args: Namespace, **_: Any) -> list[str]:
    """The instance types of the compute, or of the cluster of the context, that begin with `prefix`."""
    group, workspace = _group(parsed_args), getattr(parsed_args, "workspace_name", None)
    if compute := getattr(parsed_args, "compute_name", None):
        path = f"{group}/providers/{WORKSPACES}/{workspace}/computes/{compute}?api-version={COMPUTES_VERSION}"
        properties = (_answer(parsed_args, path).get("properties") or {}).get("properties") or {}
        return _matching(list(properties.get("instanceTypes") or {}), prefix)
    return _matching(_or_nothing(lambda: _instance_types_of_cluster(parsed_args)), prefix)


def _instance_types_of_cluster(parsed_args: Namespace) -> list[str]:
    from azext_amlk8s.kubernetes import connect
    from azext_amlk8s.time_limit import set_time_limit

    set_time_limit(REQUEST_SECONDS)
    options = {name: getattr(parsed_args, name, None) for name in ("kubeconfig", "context")}
    return [str(item["metadata"]["name"]) for item in connect(**options).list_instance_types()]


def _cluster_type(parsed_args: Namespace) -> str:
    """The value of --cluster-type, empty without it; argcomplete does not run az's action for enumerations."""
    import os

    words = os.environ.get("COMP_LINE", "").split()
    given = [value for option, value in zip(words, words[1:], strict=False) if option in ("-t", "--cluster-type")]
    return getattr(parsed_args, "cluster_type", None) or next(iter(given), "")


def _resource_names(parsed_args: Namespace, types: list[str]) -> list[str]:
    condition = " or ".join(f"resourceType eq '{name}'" for name in types)
    items = _values(parsed_args, f"{_group(parsed_args)}/resources?api-version={RESOURCES_VERSION}&$filter={condition}")
    return [str(item["name"]) for item in items]


def _group(parsed_args: Namespace) -> str:
    """The path of the resource group that the options or the defaults of az name; empty without one."""
    cmd: Any = getattr(parsed_args, "_cmd", None)
    name = getattr(parsed_args, "resource_group_name", None)
    if not name and cmd:
        name = cmd.cli_ctx.config.get("defaults", "group", None)
    return f"/resourceGroups/{name}" if name else ""


def _values(parsed_args: Namespace, path: str) -> list[dict[str, Any]]:
    return list(_answer(parsed_args, path).get("value") or [])


def _answer(parsed_args: Namespace, path: str) -> dict[str, Any]:
    """The response to one GET below the subscription; empty when it fails or takes longer than REQUEST_SECONDS."""
    answer: dict[str, Any] = {}

    def request() -> None:
        from azure.cli.core._profile import Profile
        from azure.cli.core.util import send_raw_request

        cli_ctx: Any = vars(parsed_args)["_cmd"].cli_ctx
        subscription = getattr(parsed_args, "_subscription", None) or Profile(cli_ctx=cli_ctx).get_subscription_id()
        answer.update(send_raw_request(cli_ctx, "GET", f"/subscriptions/{subscription}{path}").json())

    thread = threading.Thread(target=lambda: _or_nothing(request), daemon=True)
    thread.start()
    thread.join(REQUEST_SECONDS)
    return dict(answer)


def _or_nothing(action: Any) -> Any:
    """The result of an action; an empty list when it fails, for a completion must never print an error."""
    try:
        return action()
    # az exits where nobody is logged in.
    except (Exception, SystemExit):  # pylint: disable=broad-exception-caught
        return []


def _matching(names: list[str], prefix: str) -> list[str]:
    return [name for name in names if name.lower().startswith(prefix.lower())]
