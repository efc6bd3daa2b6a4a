"""Which compute a workload runs on, and what is to be said of that (field guide compute 4)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from azext_amlk8s.rules import Finding
from azext_amlk8s.workloads.catalogue import W130, W131, W132, W133
from azext_amlk8s.workloads.documents import is_placeholder
from azext_amlk8s.workloads.model import Ask, said, snippet


def with_endpoints(asks: Iterable[Ask]) -> list[Ask]:
    """The asks; a deployment whose endpoint is among them gets the endpoint's compute."""
    asks = list(asks)
    computes = {ask.name: ask.compute for ask in asks if ask.kind == "endpoint" and ask.name}
    return [
        replace(ask, compute=computes[ask.endpoint])
        if ask.kind == "deployment" and ask.compute is None and ask.endpoint in computes
        else ask
        for ask in asks
    ]


def judge_computes(asks: Iterable[Ask], computes: Mapping[str, Mapping[str, Any]], workspace: str) -> Iterator[Finding]:
    """Computes that the workspace has not, or that are no Kubernetes clusters; computes are ARM's, by name."""
    for ask in asks:
        name = ask.compute_name
        if name is None:
            if ask.kind == "deployment" and not is_placeholder(ask.endpoint):
                message = f"the compute of its endpoint {ask.endpoint or '(none is named)'} is not known."
                yield said(W132, ask.place, message)
        elif is_placeholder(ask.compute):
            continue
        elif name not in computes:
            known = sorted(computes)
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            message = f"the workspace {workspace} has no compute {name}; there are: {', '.join(known) or 'none'}.{hint}"
            fix = (
                snippet({"compute": f"azureml:{close[0]}"})
                if close
                else f"az amlk8s compute list -g GROUP -w {workspace} -o table"
            )
            yield said(W130, ask.at("compute"), message, found=name, fix=fix)
        else:
            kind = (computes[name].get("properties") or {}).get("computeType")
            if kind != "Kubernetes":
                yield said(W131, ask.at("compute"), f"the compute {name} is of type {kind}; nothing is checked.")


def unreachable(compute: str, note: str) -> Iterator[Finding]:
    """What is to be said where the cluster of a compute could not be asked."""
    message = f"Whether the pods fit the cluster of {compute} is not known. {note}"
    yield W133.finding(compute, message, fix="--context CONTEXT")
