"""The values that the rules are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EXTENSION_TYPE = "microsoft.azureml.kubernetes"
BLANK = "***"  # stands for a secret that is not shown, or that the service does not give back


@dataclass(frozen=True)
class Settings:
    """The two bags, with canonical keys and normalised values; protected is secret."""

    config: Mapping[str, str] = field(default_factory=dict)
    protected: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, key: str, default: str = "") -> str:
        """The value of a canonical key, whichever bag it is in."""
        return self.config.get(key, self.protected.get(key, default))

    def on(self, key: str) -> bool:
        """Whether a setting is True."""
        return self.get(key) == "True"
