"""The replacement of an extension of a former type, which Azure cannot change into one of today's type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.console.reports import count
from azext_amlk8s.operations.extension_common import azureml_extensions, former_extension, state_of
from azext_amlk8s.operations.migration_step import Step
from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.refs import ClusterRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

Resource = Mapping[str, Any]
# What must be restored if the replacement is interrupted; in the cluster, so that any machine can continue it.
RECORD_NAME = "amlk8s-migration"
RECORD = f"/api/v1/namespaces/default/configmaps/{RECORD_NAME}"
LABELS = {"app.kubernetes.io/managed-by": "az-amlk8s"}
CERTIFICATE = "scoringFe.sslCert"


@dataclass(frozen=True)
class Saved:
    """What is kept of a former extension: its name and type, the settings that users gave, and instance types."""

    name: str
    type: str
    settings: Mapping[str, str]
    has_certificate: bool
    instance_types: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class FormerExtension:
    """An extension of a former type, or its interrupted replacement. is_recorded: saved was read from the cluster."""

    cmd: AzCliCommand
    client: AzureClient
    cluster: ClusterRef
    extensions: Sequence[dict[str, Any]]
    connection: Cluster
    saved: Saved
    is_recorded: bool
    given: SettingOptions
    deadline: Deadline

    rollback_until: str = "delete-former-extension"

    def steps(self) -> list[Step]:
        """Save, delete, install, restore. Raises RequiredArgumentMissingError for a certificate that is not given."""
        saved, new = self.saved, next(iter(azureml_extensions(self.extensions)), None)
        if new is None and saved.has_certificate and not self.given.config_protected:
            raise az_error(
                "RequiredArgumentMissingError",
                f"Extension '{saved.name}' has a certificate, which Azure does not return; it is needed again.",
                ["--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem"],
            )
        restored = count(len(saved.instance_types), "instance type")
        return [
            Step(
                "save-extension",
                f"Save the settings of extension '{saved.name}' and {restored} in ConfigMap default/{RECORD_NAME}",
                "",
                self.is_recorded,
                f"kubectl delete configmap {RECORD_NAME} -n default",
                self._record,
            ),
            Step(
                "delete-former-extension",
                f"Delete extension '{saved.name}' of the former type {saved.type}",
                "Jobs and endpoints on the cluster stop until the last step; the type cannot be installed again.",
                self._former() is None,
                "",
                self._delete,
            ),
            Step(
                "install-extension",
                f"Install the extension '{saved.name}' with today's type and names of settings",
                "An endpoint that then fails with InvalidComputeInformation needs compute attach --replace.",
                state_of(new).lower() == "succeeded",
                "",
                self._install,
            ),
            Step(
                "restore-instance-types",
                f"Restore {restored}, and delete what was saved",
                "",
                False,
                "",
                self._restore,
            ),
        ]

    def undo_steps(self) -> list[Step]:
        """Forget what was saved. Raises ValidationError once the former extension is deleted."""
        if self._former() is None:
            message = f"Extension '{self.saved.name}' is deleted; its type cannot be installed again."
            raise az_error("ValidationError", f"{message} Run the command without --rollback to end the migration.")
        title = f"Delete what was saved of extension '{self.saved.name}'"
        return [Step("forget-extension", title, "", not self.is_recorded, "", self._forget)]

    def _former(self) -> Resource | None:
        return former_extension(self.extensions)

    def _record(self) -> None:
        data = {
            "name": self.saved.name,
            "type": self.saved.type,
            "settings": json.dumps(dict(self.saved.settings)),
            "hasCertificate": str(self.saved.has_certificate).lower(),
            "instanceTypes": json.dumps(list(self.saved.instance_types)),
        }
        metadata = {"name": RECORD_NAME, "namespace": "default", "labels": LABELS}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        self.connection.apply(RECORD, body, force=True)

    def _delete(self) -> None:
        from azext_amlk8s.operations.extension_delete import delete_extension

        delete_extension(
            self.cmd, self.client, self.cluster, self.saved.name, timeout=self.deadline.remaining, yes=True,
            reports_leftovers=False,
        )  # fmt: skip

    def _install(self) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_create import create_extension

        pairs = [f"{key}={value}" for key, value in self.saved.settings.items()]
        options = SettingOptions([*pairs, *(self.given.config or ())], self.given.config_protected)
        run = RunOptions(self.saved.name, timeout=int(self.deadline.remaining), yes=True)
        connect = (self.client, self.cluster)
        create_extension(self.cmd, lambda: connect, options, VersionOptions().values(), run)

    def _restore(self) -> None:
        from azext_amlk8s.operations.cluster_options import wait_for_instance_types

        if self.saved.instance_types:
            wait_for_instance_types(self.connection)
            present = {item["metadata"]["name"] for item in self.connection.list_instance_types()}
            for item in self.saved.instance_types:
                if item["metadata"]["name"] not in present:
                    self.connection.apply_instance_type(dict(item))
        self._forget()

    def _forget(self) -> None:
        if record := self.connection.read(RECORD):
            self.connection.delete(RECORD, record["metadata"]["uid"])


def find_former_extension(
    cmd: AzCliCommand,
    client: AzureClient,
    cluster: ClusterRef,
    extensions: Sequence[dict[str, Any]],
    connection: Cluster | None,
    note: str,
    given: SettingOptions,
    deadline: Deadline,
) -> FormerExtension | None:
    """The extension of a former type on a cluster, or what an interrupted replacement of one has saved.

    Raises AzureConnectionError for one whose cluster cannot be reached: what it has there has to be saved.
    """
    former = former_extension(extensions)
    if connection is None:
        if former is None:
            return None
        raise az_error("AzureConnectionError", note, ["Run the command where the cluster can be reached."])
    recorded = _read_record(connection)
    saved = recorded or (_saved_of(former, connection) if former else None)
    if saved is None:
        return None
    return FormerExtension(cmd, client, cluster, extensions, connection, saved, recorded is not None, given, deadline)


def _read_record(connection: Cluster) -> Saved | None:
    record = connection.read(RECORD)
    if record is None:
        return None
    data = record.get("data") or {}
    return Saved(
        data["name"],
        data["type"],
        json.loads(data["settings"]),
        data["hasCertificate"] == "true",
        json.loads(data["instanceTypes"]),
    )


def _saved_of(former: Resource, connection: Cluster) -> Saved:
    from azext_amlk8s.operations.cluster_backup import read_backup
    from azext_amlk8s.settings import read_deployed, read_settings
    from azext_amlk8s.setup_files.writing import is_given_by_users

    deployed = read_deployed(dict(former))
    settings: dict[str, str] = {}
    for key, value in deployed.config.items():
        current = read_settings((f"{key}={value}",), ())[0].config
        settings |= {name: given for name, given in current.items() if is_given_by_users(name)}
    return Saved(
        str(former["name"]),
        str((former.get("properties") or {}).get("extensionType")),
        settings,
        CERTIFICATE in deployed.protected,
        read_backup(connection).instance_types,
    )
