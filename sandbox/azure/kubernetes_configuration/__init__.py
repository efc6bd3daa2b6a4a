"""Microsoft.KubernetesConfiguration."""

from sandbox.azure.kubernetes_configuration.extension_types import (
    ExtensionTypes,
    ExtensionTypesByLocation,
    ExtensionTypeVersions,
    ExtensionTypeVersionsByLocation,
)
from sandbox.azure.kubernetes_configuration.extensions import Extensions

ALL = (
    Extensions(),
    ExtensionTypes(),
    ExtensionTypeVersions(),
    ExtensionTypesByLocation(),
    ExtensionTypeVersionsByLocation(),
)
