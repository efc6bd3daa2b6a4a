"""The page of a diagnosis: one HTML file that needs no network, with everything in it escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from azext_amlk8s.checks import node_chart
from azext_amlk8s.checks.commands import is_command
from azext_amlk8s.checks.model import Status
from azext_amlk8s.scheduling.nodes import Node

MARKS = {Status.PASSED.value: "✓", Status.WARNING.value: "!", Status.FAILED.value: "✗", Status.SKIPPED.value: "–"}
STYLE = """
* { box-sizing: border-box }
body { font: 15px/1.45 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #263238;
  max-width: 1000px; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere }
h1 { font-size: 1.5em }
h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #cfd8dc }
.verdict { padding: .6em 1em; border-radius: 4px; font-weight: bold }
.good { background: #e8f5e9 }
.bad { background: #ffebee }
ul.checks { list-style: none; padding: 0 }
ul.checks > li { margin: .25em 0; padding-left: 1.5em; text-indent: -1.5em }
ul.checks > li > * { text-indent: 0 }
.mark { display: inline-block; width: 1.5em; font-weight: bold }
.passed .mark { color: #2e7d32 }
.warning .mark { color: #b25000 }
.failed .mark { color: #c62828 }
.skipped, .note { color: #546e7a }
.finding { margin: .3em 0 1em; padding-left: .8em; border-left: 3px solid #cfd8dc; text-indent: 0 }
.finding.error { border-color: #c62828 }
.finding.warning { border-color: #ef6c00 }
code { display: block; background: #eceff1; padding: .4em .7em; margin: .3em 0; white-space: pre-wrap }
.wide { overflow-x: auto }
table { border-collapse: collapse; width: 100%; overflow-wrap: normal }
th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid #eceff1; vertical-align: top }
tr.bad td { background: #ffebee }
tr.odd td { background: #fff8e1 }
figure { margin: 1em 0; overflow-x: auto }
dl { display: grid; grid-template-columns: max-content auto; gap: .2em 1.2em }
dt { color: #546e7a }
dd { margin: 0 }
@media (max-width: 560px) {
  body { margin: .5em auto; padding: 0 .6em }
  dl { display: block }
  dd { margin-bottom: .4em }
}
"""


def render_page(report: Mapping[str, Any], nodes: Sequence[Node], head: Mapping[str, str], files: Iterable[str]) -> str:
    """The page: verdict, causes, warnings, the installation, components, nodes, all checks, files of the archive."""
    summary = report["summary"]
    title = f"{summary['cluster']}: diagnosis of the Azure Machine Learning extension"
    errors = [finding for finding in report["findings"] if finding["severity"] == "error"]
    warnings = [finding for finding in report["findings"] if finding["severity"] == "warning"]
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict {"good" if summary["healthy"] else "bad"}" id="verdict">{escape(summary["verdict"])}</p>',
        _findings("Causes", "causes", errors),
        _findings("Warnings", "warnings", warnings),
        _head(head),
        _components(report["components"]),
        _nodes(nodes),
        "<h2>All checks</h2>",
        *(_category(category) for category in report["categories"]),
        "<h2>Files of the archive</h2><ul>" + "".join(f"<li>{escape(file)}</li>" for file in files) + "</ul>",
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(part for part in parts if part) + "\n</body></html>\n"
    )


def _findings(title: str, id: str, findings: Sequence[Mapping[str, str]]) -> str:
    if not findings:
        return ""
    return f'<h2>{title}</h2><div id="{id}">{"".join(_finding(finding) for finding in findings)}</div>'


def _head(head: Mapping[str, str]) -> str:
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in head.items())
    return f"<h2>Installation</h2><dl>{rows}</dl>"


def _category(category: Mapping[str, Any]) -> str:
    checks = "".join(_check(check) for check in category["checks"])
    return f'<h3>{escape(category["title"])}</h3><ul class="checks">{checks}</ul>'


def _check(check: Mapping[str, Any]) -> str:
    ids = ", ".join(dict.fromkeys(finding["id"] for finding in check["findings"]))
    skipped = "skipped: " if check["status"] == Status.SKIPPED.value else ""
    note = ids or (f"{skipped}{check['note']}" if check["note"] else "")
    text = f' <span class="note">{escape(note)}</span>' if note else ""
    mark = f'<span class="mark">{MARKS[check["status"]]}</span>'
    return f'<li class="{check["status"]}">{mark}{escape(check["title"])}{text}</li>'


def _finding(finding: Mapping[str, str]) -> str:
    values = [f"{name}: {finding[name]}" for name in ("expected", "found") if finding[name]]
    details = f'<br><span class="note">{escape("; ".join(values))}</span>' if values else ""
    lines = finding["fix"].splitlines()
    fix = "".join(f"<code>{escape(line)}</code>" if is_command(line) else f"<p>{escape(line)}</p>" for line in lines)
    source = finding["source"]
    link = f'<a href="{escape(source)}">{escape(source)}</a>' if source else ""
    text = f"{escape(finding['message'])} [{escape(finding['id'])}]{details}{fix}{link}"
    return f'<div class="finding {finding["severity"]}">{text}</div>'


def _components(components: Sequence[Mapping[str, Any]]) -> str:
    if not components:
        return "<h2>Components</h2><p>No components could be read.</p>"
    rows = "".join(
        _component(component) for component in sorted(components, key=lambda component: component["state"] == "ready")
    )
    names = ("Component", "Kind", "State", "Ready", "Restarts", "Nodes", "Reason")
    head = "".join(f"<th>{name}</th>" for name in names)
    return f'<h2>Components</h2><div class="wide"><table id="components"><tr>{head}</tr>{rows}</table></div>'


def _component(component: Mapping[str, Any]) -> str:
    kind = {"ready": "", "restarting": "odd"}.get(component["state"], "bad")
    nodes = (
        component["nodes"]
        if len(component["nodes"]) <= 4
        else [*component["nodes"][:3], f"and {len(component['nodes']) - 3} more"]
    )
    pods, reasons = f"{component['ready']}/{component['wanted']}", " ".join(component["reasons"][:2])
    cells = (
        component["name"],
        component["kind"],
        component["state"],
        pods,
        str(component["restarts"]),
        ", ".join(nodes),
        reasons,
    )
    return f'<tr class="{kind}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _nodes(nodes: Sequence[Node]) -> str:
    if not nodes:
        return "<h2>Nodes</h2><p>No nodes could be read.</p>"
    charts = "".join(f"<figure>{node_chart.render_svg(nodes, resource)}</figure>" for resource in ("cpu", "memory"))
    return f'<h2>Nodes</h2><div id="nodes">{charts}</div>'
