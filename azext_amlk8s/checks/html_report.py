"""The page of a diagnosis: one HTML file that needs no network, with everything in it escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from azext_amlk8s.checks import capacity
from azext_amlk8s.checks.model import Status
from azext_amlk8s.scheduling.nodes import Node

MARKS = {Status.PASSED.value: "√", Status.WARNED.value: "‼", Status.FAILED.value: "×", Status.SKIPPED.value: "–"}
STYLE = """
body { font: 15px/1.45 "DejaVu Sans", "Liberation Sans", Arial, sans-serif; color: #263238;
  max-width: 1000px; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em }
h2 { font-size: 1.15em; margin-top: 2em; border-bottom: 1px solid #cfd8dc }
.verdict { padding: .6em 1em; border-radius: 4px; font-weight: bold }
.good { background: #e8f5e9 }
.bad { background: #ffebee }
ul.checks { list-style: none; padding: 0 }
ul.checks > li { margin: .25em 0 }
.mark { display: inline-block; width: 1.4em; font-weight: bold }
.passed .mark { color: #2e7d32 }
.warning .mark { color: #ef6c00 }
.error .mark { color: #c62828 }
.skipped { color: #78909c }
.finding { margin: .3em 0 .6em 1.4em; padding-left: .8em; border-left: 3px solid #cfd8dc }
.finding.error { border-color: #c62828 }
.finding.warning { border-color: #ef6c00 }
code { display: block; background: #eceff1; padding: .4em .7em; margin: .3em 0;
  white-space: pre-wrap; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3em .6em; border-bottom: 1px solid #eceff1; vertical-align: top }
tr.bad td { background: #ffebee }
tr.odd td { background: #fff8e1 }
figure { margin: 1em 0; overflow-x: auto }
dl { display: grid; grid-template-columns: max-content auto; gap: .2em 1.2em }
dt { color: #546e7a }
"""


def page(report: Mapping[str, Any], nodes: Sequence[Node], head: Mapping[str, str], files: Iterable[str]) -> str:
    """The page: what the report says, the components, the nodes as a picture, and what else is in the archive."""
    summary = report["summary"]
    title = f"{summary['cluster']}: diagnosis of the Azure Machine Learning extension"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict {"good" if summary["healthy"] else "bad"}" id="verdict">{escape(summary["verdict"])}</p>',
        _facts(head),
        *(_category(one) for one in report["categories"]),
        _components(report["components"]),
        _nodes(nodes),
        "<h2>Files of the archive</h2><ul>" + "".join(f"<li>{escape(one)}</li>" for one in files) + "</ul>",
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _facts(head: Mapping[str, str]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in head.items()) + "</dl>"


def _category(told: Mapping[str, Any]) -> str:
    checks = "".join(_check(one) for one in told["checks"])
    return f'<h2>{escape(told["title"])}</h2><ul class="checks">{checks}</ul>'


def _check(one: Mapping[str, Any]) -> str:
    note = f" (not checked: {escape(one['note'])})" if one["note"] else ""
    found = "".join(_finding(finding) for finding in one["findings"])
    mark = f'<span class="mark">{MARKS[one["status"]]}</span>'
    return f'<li class="{one["status"]}">{mark}{escape(one["what"])}{note}{found}</li>'


def _finding(one: Mapping[str, str]) -> str:
    told = [f"{word}: {one[word]}" for word in ("expected", "found") if one[word]]
    facts = f"<br>{escape('; '.join(told))}" if told else ""
    fix = f"<code>{escape(one['fix'])}</code>" if one["fix"] else ""
    source = f'<br><a href="{escape(one["source"])}">{escape(one["source"])}</a>' if one["source"] else ""
    text = f"{escape(one['message'])} [{escape(one['id'])}]{facts}{fix}{source}"
    return f'<div class="finding {one["severity"]}">{text}</div>'


def _components(told: Sequence[Mapping[str, Any]]) -> str:
    if not told:
        return "<h2>Components</h2><p>They could not be seen.</p>"
    rows = "".join(_component(one) for one in told)
    head = "".join(f"<th>{word}</th>" for word in ("Component", "Kind", "State", "Ready", "Restarts", "Nodes", "Why"))
    return f'<h2>Components</h2><table id="components"><tr>{head}</tr>{rows}</table>'


def _component(one: Mapping[str, Any]) -> str:
    kind = {"ready": "", "restarting": "odd"}.get(one["state"], "bad")
    nodes = one["nodes"] if len(one["nodes"]) <= 4 else [*one["nodes"][:3], f"and {len(one['nodes']) - 3} more"]
    pods, reasons = f"{one['ready']}/{one['wanted']}", " ".join(one["reasons"][:2])
    cells = (one["name"], one["kind"], one["state"], pods, str(one["restarts"]), ", ".join(nodes), reasons)
    return f'<tr class="{kind}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _nodes(nodes: Sequence[Node]) -> str:
    if not nodes:
        return "<h2>Nodes</h2><p>They could not be seen.</p>"
    pictures = "".join(f"<figure>{capacity.svg(nodes, one)}</figure>" for one in ("cpu", "memory"))
    return f'<h2>Nodes</h2><div id="nodes">{pictures}</div>'
