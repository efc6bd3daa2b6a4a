"""The bodies of requests: what they mean for the object that the path of the request names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml

from sandbox.kubernetes import admission, status
from sandbox.kubernetes.kinds import Kind

# libyaml where PyYAML was built with it: server-side apply is parsed ten times as fast.
LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Target:
    """The target of a path; name and subresource may be empty."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def only(target: Target, existing: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """The object to store: a write to status changes only status, any other write does not change it."""
    if target.subresource == "status":
        return {**existing, "status": wanted.get("status")}
    if target.kind.status and "status" in existing:
        return {**wanted, "status": existing["status"]}
    return wanted


def read_yaml(text: str) -> Any:
    """A YAML document; JSON, which most clients send, is read as what it is, and faster. Raises YAMLError."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return yaml.load(text, Loader=LOADER)


def patch_of(target: Target, text: str) -> dict[str, Any]:
    try:
        wanted = read_yaml(text)
    except yaml.YAMLError as error:
        raise status.bad_request(f"error decoding YAML: error converting YAML to JSON: yaml: {error}") from error
    given = wanted.get("apiVersion", "")
    if given != target.kind.api_version:
        raise status.bad_request(
            f"Incorrect version specified in apply patch. Specified patch version: {given}, expected: "
            f"{target.kind.api_version}"
        )
    same_place(target, wanted.setdefault("metadata", {}))
    wanted["metadata"]["name"] = target.name
    return admission.convert(target.kind, wanted)


def check_preconditions(target: Target, existing: dict[str, Any], text: str) -> None:
    """Raise ApiError 409 where DeleteOptions name another UID."""
    try:
        options = json.loads(text) if text else {}
    except ValueError:
        return  # protobuf, which kubectl does not send with preconditions
    expected, actual = (options.get("preconditions") or {}).get("uid"), existing["metadata"]["uid"]
    if expected is not None and expected != actual:
        message = (
            f'Operation cannot be fulfilled on {target.kind.resource} "{target.name}": Precondition failed: UID in '
            f"precondition: {expected}, UID in object meta: {actual}"
        )
        raise status.ApiError(409, "Conflict", message, name=target.name, kind=target.kind.plural)


def same_place(target: Target, meta: dict[str, Any]) -> None:
    if target.namespace and meta.get("namespace", target.namespace) != target.namespace:
        raise status.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if target.name and meta.get("name", target.name) != target.name:
        raise status.bad_request(
            f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
        )
