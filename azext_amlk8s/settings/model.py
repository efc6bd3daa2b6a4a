"""Settings as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BLANK = "***"  # in place of a secret that is not shown, or that the service does not return


@dataclass(frozen=True)
class Settings:
    """Both sections, with canonical keys and normalised values; protected is secret. "" resets a key to its default."""

    config: Mapping[str, str] = field(default_factory=dict)
    protected: Mapping[str, str] = field(default_factory=dict, repr=False)

    def get(self, key: str, default: str = "") -> str:
        """The value of a canonical key, whichever section it is in; the default where it is absent or reset."""
        return self.config.get(key) or self.protected.get(key) or default

    def is_enabled(self, key: str) -> bool:
        """Whether a setting is True."""
        return self.get(key) == "True"

    def without_resets(self) -> Settings:
        """The settings that have a value."""
        return Settings(
            {key: value for key, value in self.config.items() if value != ""},
            {key: value for key, value in self.protected.items() if value != ""},
        )
