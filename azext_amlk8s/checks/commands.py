"""Suggested commands: complete, for the cluster that was checked, and never for another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from azext_amlk8s.checks.facts import CheckTarget
from azext_amlk8s.rules import Finding
from azext_amlk8s.shell import join, quote

TOOLS = {"kubectl": "--context", "oc": "--context", "helm": "--kube-context"}
COMMAND = re.compile(r"^(az|kubectl|helm|oc|pip|openssl) ")
WORD = re.compile(r"\b(CLUSTER-ID|CLUSTER|GROUP|TYPE|NAME|WORKSPACE|SUBSCRIPTION)\b")


def complete_fix(finding: Finding, target: CheckTarget, extension: str = "") -> Finding:
    """The finding with known names in its fix, and with commands that lead to the target's cluster alone."""
    lines = [_filled_in(line, target, extension) for line in finding.fix.splitlines()]
    return replace(finding, fix="\n".join(complete_commands(lines, target)))


def complete_commands(lines: Iterable[str], target: CheckTarget) -> list[str]:
    """The lines with commands that lead to the target's cluster alone, after the one that fetches its credentials."""
    lines = [_on_cluster(line, target) for line in lines]
    if any(_is_cluster_command(line) for line in lines) and (access := credentials_command(target)):
        return [access, *(line for line in lines if line != access)]
    return lines


def is_command(line: str) -> bool:
    """Whether a line of a fix is to be pasted: a command, or options of the command that was run."""
    return bool(COMMAND.match(line)) or line.startswith("--")


def credentials_command(target: CheckTarget) -> str:
    """The command that fetches the context which suggested commands name; empty where the user named one."""
    if target.kubeconfig or target.context or not target.cluster.is_aks:
        return ""
    return f"az aks get-credentials {target.cluster.az_args}"


def _is_cluster_command(line: str) -> bool:
    return line.partition(" ")[0] in TOOLS


def _on_cluster(line: str, target: CheckTarget) -> str:
    tool, _, rest = line.partition(" ")
    if tool not in TOOLS or f" {TOOLS[tool]} " in line:
        return line
    options = []
    if target.kubeconfig:
        options += ["--kubeconfig", target.kubeconfig]
    if target.context or not target.kubeconfig:
        options += [TOOLS[tool], target.context or target.cluster.name]
    return f"{tool} {join(options)} {rest}"


def _filled_in(line: str, target: CheckTarget, extension: str) -> str:
    cluster, workspace = target.cluster, target.workspace
    known = {
        "SUBSCRIPTION": cluster.subscription,
        "GROUP": cluster.resource_group,
        "TYPE": cluster.type,
        "CLUSTER": cluster.name,
        "CLUSTER-ID": cluster.id,
        "WORKSPACE": workspace.name if workspace else "",
    }
    if line.startswith("az amlk8s extension "):
        known["NAME"] = extension
    elif line.startswith("az amlk8s compute "):
        known["NAME"] = target.compute
    return WORD.sub(lambda match: quote(known[match[0]]) if known.get(match[0]) else match[0], line)
