"""How the clusters of an apply ended, as values, as a JSON report and as JUnit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from azext_amlk8s.printable import printable
from azext_amlk8s.refs import ClusterRef
from azext_amlk8s.values import parse_json

SUCCEEDED, UNCHANGED, PENDING, FAILED, BLOCKED, NOT_STARTED, INTERRUPTED = STATUSES = (
    "succeeded", "unchanged", "pending", "failed", "blocked", "not started", "interrupted",
)  # fmt: skip
GOOD = (SUCCEEDED, UNCHANGED)


@dataclass(frozen=True)
class Outcome:
    """How one cluster ended. message says why it did not succeed, fix what to do; done are the parts that were applied.

    pending are sentences about what could not be applied, such as objects of a cluster that cannot be reached; manifest
    has these objects as YAML.
    """

    setup: str
    cluster: ClusterRef
    status: str
    message: str = ""
    fix: str = ""
    done: Sequence[str] = ()
    pending: Sequence[str] = ()
    seconds: float = 0.0
    manifest: str = ""

    def to_object(self) -> dict[str, Any]:
        """The outcome as `apply` returns it."""
        return {
            "setup": self.setup,
            "cluster": self.cluster.name,
            "id": self.cluster.id,
            "status": self.status,
            "message": self.message,
            "fix": self.fix,
            "applied": list(self.done),
            "pending": list(self.pending),
            "manifest": self.manifest,
            "seconds": round(self.seconds, 1),
        }


def outcomes_object(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """What `apply` returns."""
    outcomes = list(outcomes)
    statuses = [outcome.status for outcome in outcomes]
    summary = {status: statuses.count(status) for status in STATUSES}
    return {"summary": summary, "clusters": [outcome.to_object() for outcome in outcomes]}


def as_junit(report: Mapping[str, Any]) -> str:
    """A report as JUnit XML: one case for each cluster."""
    clusters = report["clusters"]
    failed = [cluster for cluster in clusters if cluster["status"] in (FAILED, BLOCKED)]
    skipped = [cluster for cluster in clusters if cluster["status"] in (PENDING, NOT_STARTED, INTERRUPTED)]
    counts = {"tests": len(clusters), "failures": len(failed), "skipped": len(skipped)}
    suite = ElementTree.Element("testsuite", {"name": "az amlk8s apply", **{key: str(n) for key, n in counts.items()}})
    for cluster in clusters:
        names = {"name": cluster["cluster"], "classname": cluster["id"], "time": str(cluster["seconds"])}
        case = ElementTree.SubElement(suite, "testcase", {key: printable(value) for key, value in names.items()})
        if cluster["status"] not in GOOD:
            kind = "failure" if cluster in failed else "skipped"
            text = "\n".join(filter(None, [cluster["message"], *cluster["pending"], cluster["fix"]]))
            ElementTree.SubElement(case, kind, {"message": cluster["status"]}).text = printable(text)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def failed_clusters(text: str) -> set[str]:
    """The IDs, in lower case, of the clusters of a report that did not succeed. Raises ValueError."""
    try:
        if text.lstrip().startswith("<"):
            if "<!doctype" in text.lower():  # entities could expand without end
                raise ValueError("it has a DOCTYPE")
            cases = ElementTree.fromstring(text).iter("testcase")  # noqa: S314
            return {str(case.get("classname")).lower() for case in cases if len(case)}
        report = parse_json(text)
        return {str(cluster["id"]).lower() for cluster in report["clusters"] if cluster["status"] not in GOOD}
    except (ElementTree.ParseError, ValueError, KeyError, TypeError) as error:
        raise ValueError("it is not a report of az amlk8s apply") from error
