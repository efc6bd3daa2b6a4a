"""Admission of writes: mutating and validating plugins and webhooks before an object is stored."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes import pod_admission, status
from sandbox.kubernetes.json_copy import copied
from sandbox.kubernetes.kinds import Kind
from sandbox.kubernetes.store import Store
from sandbox.kubernetes.webhooks import Backends, Request, call_webhooks

Object = dict[str, Any]
# Webhooks are not called for their own configurations.
CONFIGURATIONS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


class AdmissionControl:
    """The admission chain of one cluster, in the order of kube-apiserver."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def admit(
        self, kind: Kind, namespace: str, obj: Object, operation: str, *, old: Object | None = None, dry_run: bool
    ) -> Object:
        """The object as it is admitted. Raises ApiError 400, 403 or 500."""
        namespace = (namespace or "default") if kind.namespaced else ""
        new_pod = kind.kind == "Pod" and operation == "CREATE"
        if new_pod:
            obj = copied(obj)
            obj["metadata"].setdefault("name", obj["metadata"].get("generateName", ""))
            pod_admission.apply_limit_range_defaults(obj, self._all("LimitRange", namespace))
        obj = await self._call(CONFIGURATIONS[0], kind, namespace, obj, operation, old, dry_run)
        if new_pod:
            pod_admission.check_limit_ranges(kind, obj, self._all("LimitRange", namespace))
            for found in self._all("Namespace"):
                if found["metadata"]["name"] == namespace:
                    pod_admission.check_pod_security(kind, obj, found)
        await self._call(CONFIGURATIONS[1], kind, namespace, obj, operation, old, dry_run)
        if new_pod:
            quotas = self._all("ResourceQuota", namespace)
            pod_admission.check_quotas(kind, obj, quotas, self._all("Pod", namespace))
        return obj

    def with_usage(self, quota: Object) -> Object:
        """A ResourceQuota with the status that its controller keeps."""
        hard = (quota.get("spec") or {}).get("hard") or {}
        pods = self._all("Pod", quota["metadata"]["namespace"])
        return {**quota, "status": {"hard": hard, "used": pod_admission.quota_usage(quota, pods)}}

    async def _call(
        self, which: str, kind: Kind, namespace: str, obj: Object, operation: str, old: Object | None, dry_run: bool
    ) -> Object:
        configurations = self._all(which)
        if not configurations or kind.kind in CONFIGURATIONS:
            return obj
        labels = next(
            (
                existing["metadata"].get("labels") or {}
                for existing in self._all("Namespace")
                if existing["metadata"]["name"] == namespace
            ),
            {},
        )
        request = Request(kind, operation, obj, old, namespace, labels, dry_run)
        backends = Backends(tuple(self._all("Service")), tuple(self._all("Pod")))
        return await call_webhooks(configurations, request, backends)

    def _all(self, kind: str, namespace: str = "") -> list[Object]:
        found = next(
            (known_kind for known_kind in self._store.kinds() if known_kind.kind == kind and not known_kind.custom),
            None,
        )
        if found is None:
            raise status.no_such_kind()
        return list(self._store.list(found, namespace))
