"""The command table: which words lead to which handler."""

from __future__ import annotations

from typing import Any

from azext_amlk8s import _format, _format_diagnosis, _format_instance_type


def load_command_table(loader: Any, _args: Any) -> None:
    """Register the commands with az."""
    _diagnosis(loader)
    _extension(loader)
    _settings(loader)
    _compute(loader)
    _instance_type(loader)


def _handlers(module: str) -> Any:
    from azure.cli.core.commands import CliCommandType

    return CliCommandType(operations_tmpl=f"azext_amlk8s.operations.{module}#{{}}")


def _diagnosis(loader: Any) -> None:
    with loader.command_group("amlk8s", _handlers("explain")) as group:
        group.command("explain", "explain", table_transformer=_format_diagnosis.explanation_rows)
    with loader.command_group("amlk8s", _handlers("check")) as group:
        group.command("check", "check", table_transformer=_format_diagnosis.check_rows)
    with loader.command_group("amlk8s extension", _handlers("diagnose")) as group:
        group.command("diagnose", "diagnose", table_transformer=_format_diagnosis.bundle_row)


def _extension(loader: Any) -> None:
    handlers = _handlers("extension")
    with loader.command_group("amlk8s extension", handlers) as group:
        group.custom_show_command("show", "show", custom_command_type=handlers, table_transformer=_format.extension_row)
        group.command("list", "list_", table_transformer=_format.extension_rows)
        group.command("wait", "wait")
    for verb in ("create", "update", "delete"):
        with loader.command_group("amlk8s extension", _handlers(f"extension_{verb}")) as group:
            transformer = None if verb == "delete" else _format.extension_or_plan
            group.command(verb, verb, supports_no_wait=True, table_transformer=transformer)


def _settings(loader: Any) -> None:
    handlers = _handlers("settings")
    with loader.command_group("amlk8s extension", handlers) as group:
        group.command("validate", "validate", table_transformer=_format_diagnosis.finding_rows)
        group.command("components", "components", table_transformer=_format.component_rows)
    with loader.command_group("amlk8s extension settings", handlers) as group:
        group.command("list", "settings_list", table_transformer=_format.setting_rows)
        group.custom_show_command(
            "show", "settings_show", custom_command_type=handlers, table_transformer=_format.setting_rows
        )


def _compute(loader: Any) -> None:
    handlers = _handlers("compute")
    with loader.command_group("amlk8s compute", handlers) as group:
        group.custom_show_command("show", "show", custom_command_type=handlers, table_transformer=_format.compute_row)
        group.command("list", "list_", table_transformer=_format.compute_rows)
        group.command("detach", "detach", supports_no_wait=True)
        group.command("wait", "wait")
    for verb in ("attach", "update"):
        with loader.command_group("amlk8s compute", _handlers(f"compute_{verb}")) as group:
            group.command(verb, verb, supports_no_wait=True, table_transformer=_format.compute_row)


def _instance_type(loader: Any) -> None:
    handlers, rows = _handlers("instance_type"), _format_instance_type.instance_type_rows
    findings = _format_diagnosis.finding_rows
    with loader.command_group("amlk8s instance-type", handlers) as group:
        group.custom_show_command("show", "show", custom_command_type=handlers, table_transformer=rows)
        group.command("list", "list_", table_transformer=rows)
        group.command("validate", "validate", table_transformer=findings)
        group.command("convert", "convert", table_transformer=_format_instance_type.converted_rows)
        group.command("delete", "delete")
    with loader.command_group("amlk8s instance-type", _handlers("instance_type_apply")) as group:
        for verb in ("create", "update", "apply"):
            group.command(verb, verb, table_transformer=rows)
    with loader.command_group("amlk8s instance-type", _handlers("instance_type_fit")) as group:
        group.command("fit", "fit", table_transformer=_format_instance_type.fit_rows)
    with loader.command_group("amlk8s workload", _handlers("workload")) as group:
        group.command("check", "check", table_transformer=findings)
