"""Rules over a compute that is there already, where one is to be attached, changed or detached under its name."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from azext_amlk8s.computes.compare import compare, namespace_of, same_identity
from azext_amlk8s.computes.facts import Wanted, kind_of, outer, state_of
from azext_amlk8s.computes.ids import ERROR, GUIDE, read_cluster_id
from azext_amlk8s.computes.names import SPEC
from azext_amlk8s.rules import Finding
from azext_amlk8s.rules.legacy import LegacyRule as Rule

BUSY = ("creating", "updating", "deleting")
# Kinds that Azure makes and does not merely attach.
MADE = ("amlcompute", "computeinstance")
KUBERNETES = "kubernetes"

C140 = Rule("C140", ERROR, "Nothing is going on with the compute.", SPEC)
C141 = Rule("C141", ERROR, "A compute of this name is a Kubernetes compute.", SPEC)
C142 = Rule("C142", ERROR, "A compute that is there is not overwritten by another.", SPEC)
C143 = Rule("C143", ERROR, "A compute that failed is detached before it is attached again.", SPEC)
C144 = Rule("C144", ERROR, "Cluster and namespace of a compute stay while it is attached.", GUIDE)
C145 = Rule("C145", ERROR, "The service takes a change of identity or tags.", GUIDE)


def judge_standing(there: Mapping[str, Any], wanted: Wanted, *, replace: bool) -> tuple[bool, tuple[Finding, ...]]:
    """Whether what is there is what is wanted, and why it cannot be attached as wanted.

    With replace only a compute that is busy, or of another kind, is in the way.
    """
    where = _where(wanted.group, wanted.workspace, wanted.name)
    if findings := (*_of_another_kind(there, where), *busy(there, where)):
        return False, findings
    state, differences = state_of(there), compare(there, wanted)
    if not differences and state.lower() == "succeeded":
        return not replace, ()
    if replace:
        return False, ()
    again = "--replace   # detaches it and attaches it again under the same name, with what is not given as it was"
    if differences:
        words = "; ".join(one.words for one in differences)
        message = (
            f"A compute {wanted.name} is there already ({state}), and attaching would overwrite it. It has {words}."
        )
        return False, (C142.finding("--name", message, fix=f"{again}\n--name ANOTHER"),)
    message = f"The compute {wanted.name} is there already and {state}."
    return False, (C143.finding("--name", message, required="Succeeded", found=state, fix=again),)


def judge_update(
    there: Mapping[str, Any], group: str, workspace: str, namespace: str | None, resource_id: str | None
) -> tuple[Finding, ...]:
    """Why a compute cannot be changed: it is busy or of another kind, or what is asked for is immutable."""
    name = str(there.get("name"))
    where = _where(group, workspace, name)
    held = str(outer(there).get("resourceId") or "")
    ref, findings = read_cluster_id(resource_id) if resource_id else (None, ())
    wanted_id = ref.id if ref else held
    lines = []
    if namespace and namespace != namespace_of(there):
        lines.append(f"the namespace {namespace_of(there)} to {namespace}")
    if wanted_id.lower() != held.lower():
        lines.append(f"the cluster {held} to {wanted_id}")
    immutable = []
    if lines:
        words = ["--resource-id", wanted_id, "--namespace", namespace or namespace_of(there)]
        fix = f"az amlk8s compute attach {where} {' '.join(map(shlex.quote, words))} --replace"
        message = f"A compute cannot change {' and '.join(lines)} while it is attached."
        immutable = [C144.finding("compute", message, fix=fix)]
    return (*_of_another_kind(there, where), *busy(there, where), *findings, *immutable)


def judge_taken(found: Mapping[str, Any], body: Mapping[str, Any], group: str, workspace: str) -> tuple[Finding, ...]:
    """Whether the service kept what was there, and said that it succeeded (field guide compute 1.1)."""
    kept = []
    if "identity" in body and not same_identity(found.get("identity"), body["identity"]):
        kept.append("identity")
    if (found.get("tags") or {}) != body["tags"]:
        kept.append("tags")
    if not kept:
        return ()
    where = _where(group, workspace, str(found.get("name")))
    words = ["--resource-id", str(outer(found).get("resourceId")), "--namespace", namespace_of(found)]
    if "identity" in kept:
        ids = body["identity"].get("userAssignedIdentities")
        words += ["--identity-type", body["identity"]["type"], *(["--user-assigned-identities", *ids] if ids else [])]
    if "tags" in kept:
        words += ["--tags", *(f"{key}={value}" for key, value in body["tags"].items())]
    fix = f"az amlk8s compute attach {where} {' '.join(map(shlex.quote, words))} --replace"
    message = f"The service did not take the change of {' and '.join(kept)}; what was there is still there."
    return (C145.finding("compute", message, fix=fix),)


def judge_detach(there: Mapping[str, Any], group: str, workspace: str) -> tuple[Finding, ...]:
    """Why a compute cannot be detached: Azure made it, so that it can only be deleted."""
    if kind_of(there).lower() not in MADE:
        return ()
    return _of_another_kind(there, _where(group, workspace, str(there.get("name"))))


def busy(there: Mapping[str, Any], where: str) -> tuple[Finding, ...]:
    """That something is going on with a compute; where names it in the options of a command."""
    state = state_of(there)
    if state.lower() not in BUSY:
        return ()
    done = {"deleting": "deleted", "updating": "updated"}.get(state.lower(), "created")
    message = f"The compute {there.get('name')} is {state} at this moment."
    return (C140.finding("compute", message, found=state, fix=f"az amlk8s compute wait {where} --{done}"),)


def _of_another_kind(there: Mapping[str, Any], where: str) -> tuple[Finding, ...]:
    kind = kind_of(there)
    if kind.lower() in ("", KUBERNETES):
        return ()
    message = f"The compute {there.get('name')} is of the kind {kind}, not Kubernetes."
    verb = "delete" if kind.lower() in MADE else "detach"
    fix = f"az ml compute {verb} {where}   # if it is not needed any more"
    return (C141.finding("compute", message, required="Kubernetes", found=kind, fix=fix),)


def _where(group: str, workspace: str, name: str) -> str:
    return f"-g {shlex.quote(group)} -w {shlex.quote(workspace)} -n {shlex.quote(name)}"
