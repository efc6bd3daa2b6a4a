"""az amlk8s schema and the other commands on setup files."""

from __future__ import annotations

from azext_amlk8s.cli.declaration import Command

COMMANDS = (
    Command(
        "schema",
        "setup_schema#schema",
        "Show the JSON Schema of setup files.",
        description="Save it and refer to it in $schema, so that editors complete and check setup files.",
        examples=(("Save the schema beside the setup file.", "az amlk8s schema -o json"),),
    ),
)
