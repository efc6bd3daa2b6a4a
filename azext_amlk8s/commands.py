"""The command table: which words lead to which handler."""

from __future__ import annotations

from typing import Any

from azext_amlk8s import _format


def load_command_table(loader: Any, _args: Any) -> None:
    """Register the three command groups with az."""
    from azure.cli.core.commands import CliCommandType

    def handlers(module: str) -> Any:
        return CliCommandType(operations_tmpl=f"azext_amlk8s.handlers.{module}#{{}}")

    with loader.command_group("amlk8s", handlers("explain"), is_preview=True) as group:
        group.command("explain", "explain", table_transformer=_format.explanation_rows)

    with loader.command_group("amlk8s extension", handlers("extension")) as group:
        group.custom_show_command(
            "show", "show", custom_command_type=handlers("extension"), table_transformer=_format.extension_row
        )
        group.command("list", "list_", table_transformer=_format.extension_rows)
        group.custom_wait_command("wait", "show", custom_command_type=handlers("extension"))
    for verb in ("create", "update", "delete"):
        with loader.command_group("amlk8s extension", handlers(f"extension_{verb}")) as group:
            transformer = None if verb == "delete" else _format.extension_or_plan
            group.command(verb, verb, supports_no_wait=True, table_transformer=transformer)

    with loader.command_group("amlk8s extension", handlers("settings")) as group:
        group.command("validate", "validate", table_transformer=_format.finding_rows)
        group.command("components", "components", table_transformer=_format.component_rows)
    with loader.command_group("amlk8s extension settings", handlers("settings")) as group:
        group.command("list", "settings_list", table_transformer=_format.setting_rows)
        group.custom_show_command(
            "show", "settings_show", custom_command_type=handlers("settings"), table_transformer=_format.setting_rows
        )

    with loader.command_group("amlk8s compute", handlers("compute")) as group:
        group.custom_show_command(
            "show", "show", custom_command_type=handlers("compute"), table_transformer=_format.compute_row
        )
        group.command("list", "list_", table_transformer=_format.compute_rows)
        group.command("detach", "detach", supports_no_wait=True)
        group.command("wait", "wait")
    for verb in ("attach", "update"):
        with loader.command_group("amlk8s compute", handlers(f"compute_{verb}")) as group:
            group.command(verb, verb, supports_no_wait=True, table_transformer=_format.compute_row)

    with loader.command_group("amlk8s instance-type", handlers("instance_type")) as group:
        group.command("create", "create", table_transformer=_format.instance_type_rows)
        group.custom_show_command(
            "show", "show", custom_command_type=handlers("instance_type"), table_transformer=_format.instance_type_rows
        )
        group.command("list", "list_", table_transformer=_format.instance_type_rows)
        group.command("delete", "delete", confirmation=True)
