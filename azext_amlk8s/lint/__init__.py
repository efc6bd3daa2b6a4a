"""Checks templates, scripts and other files in which people keep the extension and its computes. No I/O."""

from azext_amlk8s.lint.engine import has_signs, lint
from azext_amlk8s.lint.files import SourceFile
from azext_amlk8s.lint.model import LintFinding, Result
from azext_amlk8s.lint.values import Mark

__all__ = ["LintFinding", "Mark", "Result", "SourceFile", "has_signs", "lint"]
