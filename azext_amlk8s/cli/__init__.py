"""The command line: one module per command group, each with its commands, options, help and table views."""
