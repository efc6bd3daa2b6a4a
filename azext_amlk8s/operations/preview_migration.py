"""The migration of a Kubernetes compute from previews of 2021: their settings, instance types and extension type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from azext_amlk8s.computes.model import inner_properties
from azext_amlk8s.console.reports import count
from azext_amlk8s.instance_types.model import DEFAULT_NAME
from azext_amlk8s.instance_types.rules import correct_name
from azext_amlk8s.operations.extension_common import azureml_extensions, no_extension
from azext_amlk8s.operations.failure_context import connect_to_cluster
from azext_amlk8s.operations.former_extension import FormerExtension, find_former_extension
from azext_amlk8s.operations.migration_step import Step
from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.refs import ClusterRef, ComputeRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.instance_types.model import InstanceType
    from azext_amlk8s.kubernetes import Cluster

Resource = Mapping[str, Any]
# On instance types: the compute from which they were migrated.
MIGRATED_FROM = "amlk8s/migrated-from"
# The finding of the conversion for a name that changes, which is shown as the risk of its step.
RENAMED = "I109"


def find_preview_migration(
    cmd: AzCliCommand,
    client: AzureClient,
    ref: ComputeRef,
    compute: Resource,
    cluster: ClusterRef,
    extensions: Sequence[dict[str, Any]],
    given: SettingOptions,
    deadline: Deadline,
) -> PreviewMigration:
    """The migration of a Kubernetes compute. Raises ResourceNotFoundError where its cluster has no extension."""
    connection, note = connect_to_cluster(client, cluster)
    extension = next(iter(azureml_extensions(extensions)), None)
    former = find_former_extension(cmd, client, cluster, extensions, connection, note, given, deadline)
    if extension is None and former is None:
        raise no_extension(cluster, extensions)
    return PreviewMigration(cmd, client, ref, compute, cluster, extension, former, connection, note, deadline)


@dataclass(frozen=True)
class PreviewMigration:
    """From a preview of 2021; an installation of az k8s-extension with today's settings is adopted unchanged.

    former is set for an extension of a former type, and as long as its replacement has not ended. connection is None
    where the cluster cannot be reached, and note says why.
    """

    cmd: AzCliCommand
    client: AzureClient
    ref: ComputeRef
    compute: Resource
    cluster: ClusterRef
    extension: Resource | None
    former: FormerExtension | None
    connection: Cluster | None
    note: str
    deadline: Deadline

    @property
    def source(self) -> str:
        """What of the previews the compute has."""
        kinds = [
            *(["an extension of a former type"] if self.former else []),
            *(["former settings"] if self._settings(deployed=False) else []),
            *(["instance types of 2021"] if self._types else []),
        ]
        return f"Kubernetes with {' and '.join(kinds)}" if kinds else "Kubernetes"

    @property
    def rollback_until(self) -> str:
        """The step before which everything can be undone; empty where every step can be undone at any time."""
        return self.former.rollback_until if self.former else ""

    @property
    def nothing_to_do(self) -> str:
        """What to say where every step is done."""
        return (
            f"Compute '{self.ref.name}' and extension '{(self.extension or {}).get('name')}' are used as they are, "
            "whatever installed them. Nothing to migrate."
        )

    def steps(self) -> list[Step]:
        """The steps for what is of a preview; none where nothing is."""
        from knack.log import get_logger

        steps = self.former.steps() if self.former else []
        if former := {} if self.former else self._settings(deployed=False):
            pairs = ", ".join(f"{old} -> {new}={value}" for old, (new, value) in former.items())
            steps.append(
                Step(
                    "rename-settings",
                    f"Set the settings that are read today: {pairs}",
                    "The router may be replaced; the former names stay, and nothing reads them.",
                    False,
                    f"az amlk8s compute migrate {self.ref.cli_args} --rollback",
                    lambda: self._update([f"{name}={value}" for name, value in former.values()]),
                )
            )
        if self._types and self.connection is None:
            get_logger(__name__).warning(
                "The instance types of compute '%s' have the form of 2021. They are not created: %s",
                self.ref.name,
                self.note,
            )
        elif self._types:
            names = ", ".join(each.name for each in self._types)
            steps.append(
                Step(
                    "create-instance-types",
                    f"Create {count(len(self._types), 'instance type')} in the cluster: {names}",
                    self._renamed,
                    not self._missing_types(),
                    "kubectl delete instancetype " + " ".join(each.name for each in self._types),
                    self._create_types,
                )
            )
        return steps

    def undo_steps(self) -> list[Step]:
        """What undoes the steps, in reverse."""
        steps = []
        created = self._created_types()
        if self._types or created:
            steps.append(
                Step(
                    "delete-instance-types",
                    f"Delete the instance types that the migration has created: {', '.join(created) or 'none'}",
                    "Jobs and endpoints that name them cannot start.",
                    not created,
                    "",
                    lambda: self._delete_types(created),
                )
            )
        if settings := self._settings(deployed=True):
            names = [name for name, _ in settings.values()]
            steps.append(
                Step(
                    "reset-settings",
                    f"Reset the settings that have their value from a former name: {', '.join(names)}",
                    "The router may be replaced; the defaults hold again.",
                    False,
                    "",
                    lambda: self._update([f"{name}=" for name in names]),
                )
            )
        return [*steps, *(self.former.undo_steps() if self.former else [])]

    def _settings(self, *, deployed: bool) -> dict[str, tuple[str, str]]:
        """Deployed settings under former names, with today's name and value of each.

        deployed: those whose current name is deployed with that value; otherwise those whose current name is not.
        """
        from azext_amlk8s.settings import read_deployed, read_settings

        config = read_deployed(dict(self.extension or {})).config
        found: dict[str, tuple[str, str]] = {}
        for key, value in config.items():
            for name, current in read_settings((f"{key}={value}",), ())[0].config.items():
                if name.lower() != key.lower() and (config.get(name) == current if deployed else name not in config):
                    found[key] = (name, current)
        return found

    @cached_property
    def _types(self) -> tuple[InstanceType, ...]:
        """The instance types of the compute in the form of 2021, under valid names; none for those of today."""
        return self._converted[0]

    @cached_property
    def _renamed(self) -> str:
        """What to know of types whose name changes, and of the default."""
        found = [finding.found for finding in self._converted[1] if finding.id == RENAMED]
        default = str(inner_properties(self.compute).get("defaultInstanceType") or "")
        texts = []
        if names := [name for name in dict.fromkeys(found) if correct_name(name) != name]:
            texts.append(f"Jobs and deployments that name {', '.join(names)} must name the new types.")
        if default in found and correct_name(default) != DEFAULT_NAME:
            texts.append(f"'{default}' was the default; jobs without a type now get '{DEFAULT_NAME}'.")
        return " ".join(texts)

    @cached_property
    def _converted(self) -> tuple[tuple[InstanceType, ...], tuple[Any, ...]]:
        import json

        from azext_amlk8s.instance_types.conversion import convert, has_form_of_2021
        from azext_amlk8s.instance_types.documents import Text

        inner = inner_properties(self.compute)
        if not has_form_of_2021(inner):
            return (), ()
        types = inner["instanceTypes"]
        if isinstance(types, Mapping):  # Azure adds the types of the cluster to it
            present = {item["metadata"]["name"] for item in self._present()}
            types = {name: spec for name, spec in types.items() if name not in {*present, DEFAULT_NAME}}
        return convert([Text(f"compute {self.ref.name}", json.dumps({**inner, "instanceTypes": types}))])

    def _present(self) -> list[dict[str, Any]]:
        """The instance types in the cluster; none without a connection, and before the kind exists."""
        from azext_amlk8s.kubernetes import NoInstanceTypes

        try:
            return self.connection.list_instance_types() if self.connection else []
        except NoInstanceTypes:
            return []

    def _missing_types(self) -> list[InstanceType]:
        present = {item["metadata"]["name"] for item in self._present()}
        return [each for each in self._types if each.name not in present]

    def _created_types(self) -> list[str]:
        labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in self._present()}
        return [name for name, own in labels.items() if own.get(MIGRATED_FROM) == self.ref.name]

    def _create_types(self) -> None:
        from azext_amlk8s.console.errors import raise_for_errors
        from azext_amlk8s.operations.cluster_options import wait_for_instance_types

        assert self.connection is not None
        raise_for_errors(finding for finding in self._converted[1] if finding.id != RENAMED)
        wait_for_instance_types(self.connection)
        for each in self._missing_types():
            obj = each.to_object()
            obj["metadata"]["labels"] = {MIGRATED_FROM: self.ref.name}
            self.connection.apply_instance_type(obj)

    def _delete_types(self, names: Sequence[str]) -> None:
        assert self.connection is not None
        for name in names:
            self.connection.delete_instance_type(name)

    def _update(self, pairs: Sequence[str]) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_update import update_extension

        connect = (self.client, self.cluster)
        name = str((self.extension or {}).get("name"))
        run = RunOptions(name, timeout=int(self.deadline.remaining), yes=True)
        update_extension(self.cmd, lambda: connect, SettingOptions(config=pairs), VersionOptions().values(), run)
