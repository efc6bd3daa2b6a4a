"""Names and namespaces of computes in templates, files and commands."""

from __future__ import annotations

from collections.abc import Callable

from azext_amlk8s.computes.request_rules import disputed_compute_name, invalid_compute_name, invalid_namespace
from azext_amlk8s.lint.model import Result
from azext_amlk8s.lint.values import Value
from azext_amlk8s.lint.wording import adapt_compute
from azext_amlk8s.rules import Finding


def lint_names(
    name: Value | None,
    namespace: Value | None,
    result: Result,
    adapted: Callable[[Finding], Finding] = adapt_compute,
    placeholder: str = "<",
) -> None:
    """Add the findings on the name and the namespace of a compute, in the words that adapted gives them.

    A text with the sign of a placeholder is replaced before it is used, and is not checked.
    """
    if name is not None and name.text and placeholder not in name.text:
        found = (*invalid_compute_name(name.text), *disputed_compute_name(name.text))
        result.add(map(adapted, found), name.mark)
    if namespace is not None and namespace.text and placeholder not in namespace.text:
        result.add(map(adapted, invalid_namespace(namespace.text)), namespace.mark)
