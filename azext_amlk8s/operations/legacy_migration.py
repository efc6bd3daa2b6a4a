"""The migration from an AksCompute (Azure ML v1) to a Kubernetes compute on the same AKS cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.extension_common import DEFAULT_NAME, state_of
from azext_amlk8s.operations.migration_step import Step
from azext_amlk8s.operations.setting_options import SettingOptions, VersionOptions
from azext_amlk8s.operations.waiting import Deadline
from azext_amlk8s.refs import ClusterRef, ComputeRef

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand

    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

Resource = Mapping[str, Any]
ROUTER = "/apis/apps/v1/namespaces/default/deployments/azureml-fe"
ANNOTATION = "azureml-fe-enable-upgrade"
# On the router of the AksCompute: the extension was there before the migration, and must stay where that is undone.
EXISTED = "amlk8s/extension-existed"
LEGACY_SETTINGS = ("scoringFe.enableUpgrade=True", "isAKSMigration=True")


@dataclass(frozen=True)
class LegacyMigration:
    """From an AksCompute (Azure ML v1) on an AKS cluster, by the documented steps.

    https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-anywhere
    """

    cmd: AzCliCommand
    client: AzureClient
    ref: ComputeRef
    compute: Resource
    cluster: ClusterRef
    extension: Resource | None
    target: ComputeRef
    namespace: str
    given: SettingOptions
    connection: Cluster
    deadline: Deadline

    source: str = "AksCompute"

    @property
    def rollback_until(self) -> str:
        """The step before which everything can be undone."""
        return "detach-legacy"

    @property
    def nothing_to_do(self) -> str:
        """What to say where every step is done, which is never the case as long as the AksCompute exists."""
        return f"Compute '{self.target.name}' has replaced '{self.ref.name}'. Nothing to migrate."

    def steps(self) -> list[Step]:
        """The steps, in order; the legacy compute is detached and never deleted."""
        router = self.connection.read(ROUTER)
        created = self._properties(self.compute).get("isAttachedCompute") is False
        deletes = (
            f"Azure ML created the cluster '{self.cluster.name}' with this compute: deleting the compute in the studio "
            "deletes the cluster. This command only detaches it. "
            if created
            else ""
        )
        annotations = _annotations(router)
        is_installed = self._has_inference and state_of(self.extension or {}).lower() == "succeeded"
        settings = self._default_settings() if not is_installed and self.given.is_empty else ()
        install, undo = (
            f"Install the extension on cluster '{self.cluster.name}' for inference beside the AksCompute",
            f"az amlk8s extension delete {self.cluster.cli_args}",
        )
        if self._existed:
            install = f"Enable inference in extension '{self._extension_name}' beside the AksCompute"
            undo = f"az amlk8s extension update {self.cluster.cli_args} --config enableInference=False"
        return [
            Step(
                "annotate-router",
                f"Annotate the router of the AksCompute (deployment default/azureml-fe) with {ANNOTATION}=true",
                "Scoring addresses are shared: the routers of both answer on the same address until the last step.",
                router is None
                or (annotations.get(ANNOTATION) == "true" and (EXISTED in annotations or not self._existed)),
                f"kubectl annotate deployment azureml-fe -n default {ANNOTATION}-",
                lambda: self._annotate("true", "true" if self._existed else None),
            ),
            Step(
                "install-extension",
                install,
                "The components of the extension take CPU and memory of the nodes.",
                is_installed,
                undo,
                lambda: self._install(settings),
            ),
            Step(
                "attach-compute",
                f"Attach the cluster as Kubernetes compute '{self.target.name}' in namespace '{self.namespace}'",
                f"Namespace 'azureml-{self.ref.workspace.name}' belongs to the AksCompute and is not used.",
                self._target_state() == "succeeded",
                f"az amlk8s compute detach {self.target.cli_args}",
                self._attach,
            ),
            Step(
                "detach-legacy",
                f"Detach the AksCompute '{self.ref.name}'",
                f"{deletes}Its services of Azure ML v1 can no longer be managed: deploy them as online endpoints.",
                False,
                "",
                self._detach,
            ),
        ]

    def undo_steps(self) -> list[Step]:
        """What undoes the steps before the last one, in reverse."""
        annotations = _annotations(self.connection.read(ROUTER))
        ours = str(self._config().get("scoringFe.enableUpgrade", "")).lower() == "true"
        if EXISTED in annotations:
            extension = Step(
                "disable-inference",
                f"Disable inference in extension '{self._extension_name}', which was there before the migration",
                "",
                not ours,
                "",
                self._disable_inference,
            )
        else:
            extension = Step(
                "delete-extension",
                f"Delete the extension that was installed beside the AksCompute from cluster '{self.cluster.name}'",
                "",
                not ours,
                "",
                self._uninstall,
            )
        return [
            Step(
                "detach-compute",
                f"Detach the compute '{self.target.name}'",
                "Endpoints on it stop.",
                not self._target_state(),
                "",
                lambda: self._detach_compute(self.target),
            ),
            extension,
            Step(
                "remove-annotation",
                f"Remove the annotation {ANNOTATION} from deployment default/azureml-fe",
                "",
                ANNOTATION not in annotations,
                "",
                lambda: self._annotate(None, None),
            ),
        ]

    @property
    def _extension_name(self) -> str:
        return str((self.extension or {}).get("name") or DEFAULT_NAME)

    @property
    def _has_inference(self) -> bool:
        return str(self._config().get("enableInference", "")).lower() == "true"

    @property
    def _existed(self) -> bool:
        """Whether the cluster has an extension that was installed for something else."""
        return self.extension is not None and not self._has_inference

    def _target_state(self) -> str:
        """The state of the new compute in lower case; empty where there is none, or one of another cluster."""
        compute = self.client.find(self.target.id)
        properties = self._properties(compute or {})
        is_target = (
            str(properties.get("computeType")).lower() == "kubernetes"
            and str(properties.get("resourceId")).lower() == self.cluster.id.lower()
        )
        return (state_of(compute).lower() or "unknown") if compute and is_target else ""

    def _annotate(self, value: str | None, existed: str | None) -> None:
        self.connection.merge_patch(ROUTER, {"metadata": {"annotations": {ANNOTATION: value, EXISTED: existed}}})

    def _disable_inference(self) -> None:
        """Turn off what the migration has turned on."""
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_update import update_extension

        connect = (self.client, self.cluster)
        reset = [f"{setting.partition('=')[0]}=" for setting in LEGACY_SETTINGS]
        options = SettingOptions(["enableInference=False", *reset])
        run = RunOptions(self._extension_name, timeout=int(self.deadline.remaining), yes=True)
        update_extension(self.cmd, lambda: connect, options, VersionOptions().values(), run)

    def _install(self, settings: Sequence[str]) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_create import create_extension

        # Without the router there is nothing beside which another one would run, and nothing that records what existed.
        beside = LEGACY_SETTINGS if not self._existed or self.connection.read(ROUTER) else ()
        options = SettingOptions(
            [*settings, *(self.given.config or ()), *beside, "enableInference=True"],
            self.given.config_protected,
            self.given.config_file,
            self.given.config_protected_file,
        )
        connect = (self.client, self.cluster)
        run = RunOptions(self._extension_name, ("K314",), int(self.deadline.remaining), yes=True)
        create_extension(self.cmd, lambda: connect, options, VersionOptions().values(), run, or_update=self._existed)

    def _default_settings(self) -> Sequence[str]:
        """Settings like those of the AksCompute. Raises RequiredArgumentMissingError where it serves HTTPS."""
        ssl = (self._properties(self.compute).get("properties") or {}).get("sslConfiguration") or {}
        if str(ssl.get("status") or "Disabled").lower() in ("enabled", "auto"):
            host = ssl.get("cname") or "HOST"
            raise az_error(
                "RequiredArgumentMissingError",
                f"Compute '{self.ref.name}' serves HTTPS; its certificate is needed again.",
                [
                    f"--config inferenceRouterServiceType=loadBalancer sslCname={host} "
                    "--config-protected sslCertPemFile=cert.pem sslKeyPemFile=key.pem"
                ],
            )
        return ("inferenceRouterServiceType=loadBalancer", "allowInsecureConnections=True")

    def _attach(self) -> None:
        from azext_amlk8s.operations.compute_attach import attach

        attach(
            self.cmd,
            self.ref.workspace.resource_group,
            self.ref.workspace.name,
            name=self.target.name,
            resource_id=self.cluster.id,
            namespace=self.namespace,
            identity_type="SystemAssigned",
            create_namespace=True,
            timeout=int(self.deadline.remaining),
            yes=True,
        )

    def _detach(self) -> None:
        self._detach_compute(self.ref)

    def _detach_compute(self, ref: ComputeRef) -> None:
        from azext_amlk8s.operations.compute_progress import (
            TrackedOperation,
            begin_detach,
            follow_detach,
            poll_compute,
            warn_about_endpoints,
        )

        resume = f"az amlk8s compute wait {ref.cli_args} --deleted"
        title = f"Detaching {ref.name} from {ref.workspace.name}"
        existing = self.client.find(ref.id)
        if existing is None:
            return
        warn_about_endpoints(self.client, ref)
        is_deleting = state_of(existing).lower() == "deleting"
        operation = poll_compute(self.client, ref, existing) if is_deleting else begin_detach(self.client, ref)
        tracked = TrackedOperation(self.cmd, self.client, ref, title, resume, "delete", self.deadline, self.cluster)
        follow_detach(tracked, operation)

    def _uninstall(self) -> None:
        from azext_amlk8s.operations.extension_delete import delete_extension

        name = self._extension_name
        delete_extension(self.cmd, self.client, self.cluster, name, timeout=self.deadline.remaining, yes=True)

    def _config(self) -> Resource:
        return self._properties(self.extension or {}).get("configurationSettings") or {}

    @staticmethod
    def _properties(resource: Resource) -> Resource:
        return resource.get("properties") or {}


def _annotations(obj: Resource | None) -> Resource:
    return ((obj or {}).get("metadata") or {}).get("annotations") or {}
