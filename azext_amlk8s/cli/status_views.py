"""The result of `az amlk8s status` as text for a terminal and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from azext_amlk8s.cli.declaration import Row
from azext_amlk8s.cli.tables import fit_width, shorten
from azext_amlk8s.cli.texts import fit_summary
from azext_amlk8s.console import setup_reports
from azext_amlk8s.console.reports import finding_lines

PARTS = {
    "extension": "Extension",
    "components": "Components",
    "computes": "Computes",
    "instanceTypes": "Instance types",
    "certificate": "Certificate",
}
TITLE_WIDTH, MOST_LINES, DETAILS_WIDTH = 16, 8, 60
KINDS = {"managedclusters": "AKS", "connectedclusters": "Arc-connected"}
# A mark, what it is about, and its state.
Line = tuple[str, str, str]
NO_CERTIFICATE: Line = ("–", "", "not used")


def status_text(status: Mapping[str, Any]) -> list[str]:
    """The parts with their states, then the problems with their fixes, then the next step."""
    if "cluster" not in status:
        return setup_reports.status_lines(status)
    lines = []
    for title, shown in _all_lines(status).items():
        for number, (mark, subject, text) in enumerate(shown[:MOST_LINES]):
            heading = "" if number else title
            lines.append(f"{mark} {heading:{TITLE_WIDTH}}{'  '.join(filter(None, (subject, text)))}")
        if len(shown) > MOST_LINES:
            lines.append(f"  {'':{TITLE_WIDTH}}and {len(shown) - MOST_LINES} more")
    lines += ["", *finding_lines(status["problems"])]
    return [*lines, *(["", f"Next: {status['nextStep']}"] if status["nextStep"] else [])]


def status_rows(status: Mapping[str, Any]) -> list[Row]:
    """A row for each object, then a row for each problem; of setup files a row for each cluster."""
    if "cluster" not in status:
        return fit_width(
            [
                {"Cluster": shorten(each["cluster"], 30), "State": each["state"], "Detail": each["detail"]}
                for each in status["clusters"]
            ],
            "Detail",
        )
    rows = [_row(title, subject, text) for title, shown in _all_lines(status).items() for _, subject, text in shown]
    rows += [
        _row(f"{each['severity'].capitalize()} {each['id']}", each["subject"], each["message"])
        for each in status["problems"]
    ]
    return fit_width(rows, "State")


def _all_lines(status: Mapping[str, Any]) -> dict[str, list[Line]]:
    """The lines of the cluster and of each part, by title; a reason why parts were not read is given once."""
    lines, reasons = {"Cluster": _cluster_lines(status["cluster"])}, set()
    for part, title in PARTS.items():
        if reason := status["unavailable"].get(part):
            reported = next((each["id"] for each in status["problems"] if reason in each["message"]), "")
            repeated = "not read for the same reason" if reason in reasons else reason
            lines[title] = [("–", "", f"not read, see {reported}" if reported else repeated)]
            reasons.add(reason)
        else:
            lines[title] = LINES[part](status[part])
    if expires := str(status["cluster"]["certificateExpires"] or "")[:10]:
        router = [line for line in lines["Certificate"] if line != NO_CERTIFICATE]
        mark = "✗" if str(status["cluster"]["state"]).lower() == "expired" else "✓"
        lines["Certificate"] = [*router, (mark, "Azure Arc connection", f"valid until {expires}")]
    return lines


def _row(part: str, name: str, state: str) -> Row:
    return {"Part": part, "Name": shorten(name, 28), "State": state}


def _cluster_lines(cluster: Mapping[str, Any]) -> list[Line]:
    kind = KINDS.get(str(cluster["type"]).lower(), cluster["type"])
    version = cluster["kubernetesVersion"]
    facts = (kind, cluster["location"], f"Kubernetes {version}" if version else "", cluster["state"])
    mark = "✓" if str(cluster["state"]).lower() in ("running", "connected", "succeeded") else "✗"
    return [(mark, cluster["name"], ", ".join(str(fact) for fact in facts if fact))]


def _extension_lines(extension: Mapping[str, Any]) -> list[Line]:
    state = str(extension["state"] or "unknown state")
    train = extension["releaseTrain"]
    facts = (f"version {extension['version'] or 'unknown'}", state, f"release train {train}" if train else "")
    mark = {"succeeded": "✓", "failed": "✗", "canceled": "✗"}.get(state.lower(), "!")
    return [(mark, str(extension["name"]), ", ".join(fact for fact in facts if fact))]


def _component_lines(components: Mapping[str, Any]) -> list[Line]:
    failing = components["notReady"]
    text = f"{components['ready']} of {components['total']} ready"
    if not failing:
        return [("✓", "", text)]
    first = failing[0]
    # The problems below say more.
    reason = first["reasons"][0].partition(":")[0] if first["reasons"] else first["state"]
    others = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return [("✗", "", f"{text}; {first['name']}{others}: {reason}")]


def _compute_lines(computes: Sequence[Mapping[str, Any]]) -> list[Line]:
    lines = []
    for compute in computes:
        state = str(compute["state"] or "unknown state")
        mark = {"succeeded": "✓", "failed": "✗", "canceled": "✗"}.get(state.lower(), "!")
        error = f": {shorten(compute['error'], DETAILS_WIDTH)}" if compute["error"] else ""
        text = f"{state}, namespace {compute['namespace']}, workspace {compute['workspace']}{error}"
        lines.append((mark, str(compute["name"]), text))
    return lines or [("–", "", "the cluster is not attached to the workspace")]


def _instance_type_lines(types: Sequence[Mapping[str, Any]]) -> list[Line]:
    lines = []
    for fit in types:
        mark, text = fit_summary(fit)
        lines.append((mark, str(fit["name"]), text))
    return lines or [("–", "", "none")]


def _certificate_lines(certificate: Mapping[str, Any] | None) -> list[Line]:
    if certificate is None:
        return [NO_CERTIFICATE]
    subject = f"secret {certificate['secret']}"
    if not certificate["expires"]:
        return [("✗", subject, "has no certificate")]
    if certificate["expired"]:
        return [("✗", subject, f"expired on {certificate['expires']}")]
    return [("✓", subject, f"valid until {certificate['expires']}")]


LINES: Mapping[str, Callable[[Any], list[Line]]] = {
    "extension": _extension_lines,
    "components": _component_lines,
    "computes": _compute_lines,
    "instanceTypes": _instance_type_lines,
    "certificate": _certificate_lines,
}
