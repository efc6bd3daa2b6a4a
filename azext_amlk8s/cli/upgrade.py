"""az amlk8s extension versions and upgrade"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from azext_amlk8s.cli import options
from azext_amlk8s.cli.declaration import Command, Option, Row
from azext_amlk8s.cli.tables import fit_width
from azext_amlk8s.console.reports import count

AKS = "-t managedClusters -c my-aks -g my-group"


def version_rows(versions: Sequence[Mapping[str, Any]]) -> list[Row]:
    """A row for each version."""
    rows: list[Row] = [
        {
            "Version": version["version"],
            "Train": version["releaseTrain"],
            "State": version["state"] if version["offered"] else f"{version['state']}, no longer offered",
            "Date": version["date"] or "",
            "Notes": " ".join(version["notes"]),
        }
        for version in versions
    ]
    return fit_width(rows, "Notes")


def upgrade_row(result: Mapping[str, Any]) -> Row:
    """The row of an upgrade or of its plan."""
    components = result.get("components") or {}
    return {
        "Extension": result["extension"],
        "Action": result["action"],
        "Before": result["before"],
        "After": result["after"],
        "State": result["state"],
        "Components": f"{components['ready']} of {components['total']} ready" if components else "",
    }


def upgrade_text(result: Mapping[str, Any]) -> list[str]:
    """What an upgrade has changed, or would change."""
    name, before, after = result["extension"], result["before"], result["after"]
    if result["action"] == "none":
        return [f"✓ Extension '{name}' runs version {after}."]
    if result["action"] == "upgrade":
        lines = [f"~ extension '{name}': {before} -> {after}, release train {result['releaseTrain']}"]
        lines += [f"    {note['version']}: {' '.join(note['notes'])}" for note in result["notes"]]
        lines += [f"- record of Helm revision {number}, which is pending" for number in result["pendingRevisions"]]
        return [*lines, "", "Nothing was changed; run the command without --dry-run to apply this plan."]
    lines = [f"✓ Extension '{name}': {before} -> {after}"]
    if components := result["components"]:
        mark = "✗" if components["notReady"] else "✓"
        missing = f": {', '.join(components['notReady'])}" if components["notReady"] else ""
        lines.append(f"{mark} {components['ready']} of {count(components['total'], 'component')} ready{missing}")
    lines += [
        f"~ {change['key']}: {change['before'] or 'not set'} -> {change['after'] or 'not set'}"
        for change in result["changedSettings"]
    ]
    lines += [f"✓ restored {restored}" for restored in result["restored"]]
    return [*lines, *([f"Saved before: {result['backup']}"] if result["backup"] else [])]


def commands(name: Option, skip_checks: Option, timeout: Option) -> tuple[Command, ...]:
    """The commands, with the options that others of the group have too."""
    return (
        Command(
            "versions",
            "extension_versions#versions",
            "List the versions of the extension that Azure offers for a cluster.",
            description="The newest first, with the one that runs and what is known of each release.",
            options=(
                *options.CLUSTER,
                Option("release_train", help="Release train. Default: that of the installed extension, else stable."),
            ),
            examples=(("List the versions as a table.", f"az amlk8s extension versions {AKS} -o table"),),
            table=version_rows,
        ),
        Command(
            "upgrade",
            "extension_upgrade#upgrade",
            "Install another version of the extension.",
            description="Instance types and config maps that were changed are saved to a file first, and restored "
            "where the upgrade reverts them. The components of the new version are verified. An upgrade that is stuck "
            "or has failed is recognised: the command names the reason and repeats it.",
            options=(
                *options.CLUSTER,
                name,
                Option("to", ("--to",), "Version to install. Default: the newest that Azure offers."),
                Option("train", ("--train",), "Release train. Default: the one that the extension has."),
                skip_checks,
                options.KUBECONFIG,
                options.CONTEXT,
                timeout,
                options.DRY_RUN,
                options.YES,
            ),
            examples=(
                ("Upgrade to the newest version.", f"az amlk8s extension upgrade {AKS}"),
                ("Show what an upgrade would do.", f"az amlk8s extension upgrade {AKS} --to 1.1.88 --dry-run"),
                ("Return to an older version.", f"az amlk8s extension upgrade {AKS} --to 1.1.86"),
            ),
            table=upgrade_row,
            text=upgrade_text,
        ),
    )
