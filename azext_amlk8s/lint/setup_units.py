"""Setup files: their form, and the settings and names in them."""

from __future__ import annotations

from dataclasses import replace

from azext_amlk8s.instance_types.documents import Text
from azext_amlk8s.lint.compute_units import lint_names
from azext_amlk8s.lint.evaluation import merged
from azext_amlk8s.lint.files import SourceFile
from azext_amlk8s.lint.model import ExtensionUse, LintFinding, Result
from azext_amlk8s.lint.placed_findings import placed
from azext_amlk8s.lint.units import evaluate_extension
from azext_amlk8s.lint.values import Value, unknown
from azext_amlk8s.lint.yaml_values import flatten
from azext_amlk8s.setup_files import read_setups
from azext_amlk8s.setup_files.file_terms import in_terms_of_file

NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


def lint_forms(files: list[SourceFile], result: Result) -> None:
    """Add the findings on the form of setup files; those of one setup are read together."""
    if files:
        texts = [Text(file.name, file.text, of_folder=not file.is_named) for file in files]
        _, findings = read_setups(texts, NO_SUBSCRIPTION)
        result.findings += placed(findings, files)


def lint_values(root: Value, result: Result) -> None:
    """Add the findings on the settings of the extension and the name of the compute of a setup file."""
    extension = root.get("extension")
    if extension is not None and extension.is_mapping:
        _lint_extension(extension, result)
        for override in _overrides(root):
            _lint_extension(merge(extension, override), result)
    compute = root.get("compute")
    if compute is not None:
        lint_names(compute.get("name"), compute.get("namespace"), result, in_terms_of_file, placeholder="{")


def _overrides(root: Value) -> list[Value]:
    found = root.get("overrides")
    items = found.elements() if found is not None else ()
    return [part for item in items if (part := item.get("extension")) is not None and part.is_mapping]


def merge(base: Value, other: Value) -> Value:
    """A mapping with another one over it, also below the same keys."""
    whole = merged(other.mark, [base, other])
    data = dict(whole.items())
    for key, value in other.items():
        before = base.get(key)
        if before is not None and before.is_mapping and value.is_mapping:
            data[key] = merge(before, value)
    return replace(whole, data=data)


def _lint_extension(extension: Value, result: Result) -> None:
    settings, protected, tls = (extension.get(key) for key in ("settings", "protected_settings", "tls"))
    config = flatten(settings) if settings is not None else Value({}, extension.mark)
    secret = Value({}, extension.mark)
    if protected is not None:
        names = {key: unknown(value.mark, "it is read when it is applied") for key, value in protected.items()}
        secret = Value(names, protected.mark, keys=protected.keys)
    if tls is not None:
        config, secret = _with_tls(config, secret, tls)
    use = ExtensionUse(
        "setup",
        extension.mark,
        config,
        secret,
        extension.get("version"),
        extension.get("auto_upgrade"),
        extension.get("release_train"),
    )
    before = len(result.findings)
    evaluate_extension(use, result)
    result.findings[before:] = [
        LintFinding(in_terms_of_file(each.finding), each.mark) for each in result.findings[before:]
    ]


def _with_tls(config: Value, secret: Value, tls: Value) -> tuple[Value, Value]:
    """The settings that the section tls stands for."""
    data, keys = dict(config.items()), dict(config.keys)
    for key, name in (("kubernetes_secret", "sslSecret"), ("cname", "sslCname")):
        value = tls.get(key)
        if value is not None:
            data[name] = value if not value.is_mapping else unknown(value.mark, "")
            keys[name] = tls.key_mark(key)
    hidden = dict(secret.items())
    if "files" in tls or "key_vault_certificate" in tls:
        for name in ("scoringFe.sslCert", "scoringFe.sslKey"):
            hidden[name] = unknown(tls.mark, "it is read when it is applied")
    return replace(config, data=data, keys=keys), replace(secret, data=hidden)
