"""The migration from an AksCompute (Azure ML v1) to a Kubernetes compute on the same AKS cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azext_amlk8s.console.errors import az_error
from azext_amlk8s.operations.extension_common import DEFAULT_NAME
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
        """What to say where every step is done."""
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
        annotation = ((router or {}).get("metadata") or {}).get("annotations") or {}
        enabled = str(self._config().get("enableInference", "")).lower() == "true"
        existing = self.client.find(self.target.id)
        is_installed = self.extension is not None and enabled
        settings = self._default_settings() if not is_installed and self.given.is_empty else ()
        return [
            Step(
                "annotate-router",
                f"Annotate the router of the AksCompute (deployment default/azureml-fe) with {ANNOTATION}=true",
                "Scoring addresses are shared: the routers of both answer on the same address until the last step.",
                router is None or annotation.get(ANNOTATION) == "true",
                f"kubectl annotate deployment azureml-fe -n default {ANNOTATION}-",
                lambda: self._annotate("true"),
            ),
            Step(
                "install-extension",
                f"Install the extension on cluster '{self.cluster.name}' for inference beside the AksCompute",
                "The components of the extension take CPU and memory of the nodes.",
                is_installed,
                f"az amlk8s extension delete {self.cluster.cli_args}",
                lambda: self._install(settings),
            ),
            Step(
                "attach-compute",
                f"Attach the cluster as Kubernetes compute '{self.target.name}' in namespace '{self.namespace}'",
                f"Namespace 'azureml-{self.ref.workspace.name}' belongs to the AksCompute and is not used.",
                existing is not None,
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
        router = self.connection.read(ROUTER) or {}
        annotated = ((router.get("metadata") or {}).get("annotations") or {}).get(ANNOTATION) == "true"
        ours = str(self._config().get("scoringFe.enableUpgrade", "")).lower() == "true"
        return [
            Step(
                "detach-compute",
                f"Detach the compute '{self.target.name}'",
                "Endpoints on it stop.",
                self.client.find(self.target.id) is None,
                "",
                lambda: self._detach_compute(self.target),
            ),
            Step(
                "delete-extension",
                f"Delete the extension that was installed beside the AksCompute from cluster '{self.cluster.name}'",
                "",
                not ours,
                "",
                self._uninstall,
            ),
            Step(
                "remove-annotation",
                f"Remove the annotation {ANNOTATION} from deployment default/azureml-fe",
                "",
                not annotated,
                "",
                lambda: self._annotate(None),
            ),
        ]

    def _annotate(self, value: str | None) -> None:
        self.connection.merge_patch(ROUTER, {"metadata": {"annotations": {ANNOTATION: value}}})

    def _install(self, settings: Sequence[str]) -> None:
        from azext_amlk8s.operations.extension_common import RunOptions
        from azext_amlk8s.operations.extension_create import create_extension

        options = SettingOptions(
            [*settings, *(self.given.config or ()), *LEGACY_SETTINGS, "enableInference=True"],
            self.given.config_protected,
            self.given.config_file,
            self.given.config_protected_file,
        )
        connect = (self.client, self.cluster)
        run = RunOptions(DEFAULT_NAME, ("K314",), int(self.deadline.remaining), yes=True)
        create_extension(self.cmd, lambda: connect, options, VersionOptions().values(), run)

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
        from azext_amlk8s.console.progress import follow

        operation = self.client.begin_detach_compute(ref)
        follow(
            self.cmd,
            operation,
            f"Detaching {ref.name}",
            f"az amlk8s compute show {ref.cli_args}",
            timeout=self.deadline.remaining,
        )

    def _uninstall(self) -> None:
        from azext_amlk8s.operations.extension_delete import delete_extension

        name = str((self.extension or {}).get("name") or DEFAULT_NAME)
        delete_extension(self.cmd, self.client, self.cluster, name, timeout=self.deadline.remaining, yes=True)

    def _config(self) -> Resource:
        return self._properties(self.extension or {}).get("configurationSettings") or {}

    @staticmethod
    def _properties(resource: Resource) -> Resource:
        return resource.get("properties") or {}
