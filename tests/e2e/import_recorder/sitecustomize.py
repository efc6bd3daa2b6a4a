"""Writes the modules that other threads than the main one import to the file that IMPORTS_OF_THREADS names.

Python imports a module of this name when it starts, if its folder is in PYTHONPATH.
"""

import os
import sys
import threading


class Recorder:
    """A finder that finds nothing, so that the others are asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Record a module that is about to be imported for the first time."""
        package = name.partition(".")[0]
        if threading.current_thread() is not threading.main_thread() and package not in sys.stdlib_module_names:
            with open(os.environ["IMPORTS_OF_THREADS"], "a", encoding="utf-8") as file:
                file.write(f"{name}\n")


if "IMPORTS_OF_THREADS" in os.environ:
    sys.meta_path.insert(0, Recorder())
