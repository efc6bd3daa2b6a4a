"""The resource types with a behaviour of their own, by provider."""

from __future__ import annotations

from sandbox.azure import (
    authorization,
    container_service,
    hybrid_kubernetes,
    key_vault,
    kubernetes_configuration,
    machine_learning_services,
    managed_identity,
    operational_insights,
    policy,
    relay,
    service_bus,
    tags,
)
from sandbox.azure.behaviours import Behaviour

PROVIDERS = (
    authorization,
    container_service,
    hybrid_kubernetes,
    key_vault,
    kubernetes_configuration,
    machine_learning_services,
    managed_identity,
    operational_insights,
    policy,
    relay,
    service_bus,
    tags,
)
BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.type.lower(): behaviour for provider in PROVIDERS for behaviour in provider.ALL
}
