"""The help of every group and command, which tools of az read by importing this module."""

from knack.help_files import helps

from azext_amlk8s.cli.declaration import register_help
from azext_amlk8s.cli.groups import load_groups

register_help(helps, load_groups(None), None)
