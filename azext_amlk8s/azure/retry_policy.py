"""Timeouts and retries of requests to Azure, for both clients."""

from __future__ import annotations

from typing import Any

from azure.core.pipeline.policies import RetryPolicy

CONNECT_SECONDS, READ_SECONDS = 10, 60
MOST_RETRY_AFTER_SECONDS = 120
TIMEOUTS = {"connection_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}


class BoundedRetryPolicy(RetryPolicy[Any, Any]):
    """azure-core's policy with fewer retries; a service that asks to wait for long is not waited for."""

    def __init__(self, **kwargs: Any) -> None:
        limits = {"retry_total": 5, "retry_connect": 3, "retry_read": 2, "retry_status": 5, "retry_backoff_max": 30}
        super().__init__(**{**kwargs, **{key: kwargs.get(key, value) for key, value in limits.items()}})

    def is_retry(self, settings: Any, response: Any) -> bool:
        """Whether the response is to be followed by another attempt."""
        if (self.get_retry_after(response) or 0) > MOST_RETRY_AFTER_SECONDS:
            return False
        return bool(super().is_retry(settings, response))
