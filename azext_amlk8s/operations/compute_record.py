"""The record of a compute that is being replaced: what must be restored if `compute attach --replace` is interrupted.

It is written before the first destructive request, found by the next run of the same command, and deleted at the end.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azext_amlk8s.compute_view import redact_compute
from azext_amlk8s.values import parse_json

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.refs import ComputeRef


@dataclass(frozen=True)
class ReplacementRecord:
    """A file in az's config folder, readable by its owner only, that holds a compute without its secrets."""

    path: Path
    compute_id: str

    @classmethod
    def of(cls, cmd: AzCliCommand, ref: ComputeRef) -> ReplacementRecord:
        """The record of a compute, whether it exists or not."""
        digest = hashlib.sha256(ref.id.lower().encode()).hexdigest()[:16]
        folder = Path(str(cmd.cli_ctx.config.config_dir)) / "amlk8s"
        return cls(folder / f"replace-{digest}.json", ref.id)

    def read(self) -> Mapping[str, Any] | None:
        """The recorded compute, or None. Raises FileOperationError for a file that cannot be read."""
        from azure.cli.core.azclierror import FileOperationError

        try:
            content = parse_json(self.path.read_text(encoding="utf-8"))
            compute = content["compute"]
            if str(content["computeId"]).lower() != self.compute_id.lower() or not isinstance(compute, dict):
                raise ValueError("it belongs to another compute")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FileOperationError(
                f"Cannot read {self.path}, which holds the settings of a compute whose replacement was interrupted: "
                f"{error}",
                recommendation="Move the file elsewhere to attach without these settings.",
            ) from error
        return compute

    def write(self, compute: Mapping[str, Any]) -> None:
        """Record a compute on disk, completely or not at all. Raises FileOperationError."""
        from azure.cli.core.azclierror import FileOperationError

        content = json.dumps({"computeId": self.compute_id, "compute": redact_compute(compute)}, indent=1)
        temporary = ""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=self.path.parent)  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            raise FileOperationError(
                f"Cannot write {self.path}, which would hold the settings of the compute during its replacement: "
                f"{error.strerror or error}. Nothing was detached."
            ) from error

    def delete(self) -> None:
        """Delete the file, if there is one."""
        with suppress(FileNotFoundError):
            self.path.unlink()
