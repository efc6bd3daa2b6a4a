"""Requests to an API server: their timeouts, their retries as in client-go, and what a failed connection means."""

from __future__ import annotations

import math
import re
import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from azext_amlk8s.daemon_threads import call_within
from azext_amlk8s.kubernetes.errors import ClusterRefused, ClusterUnreachable
from azext_amlk8s.kubernetes.responses import unexpected_response
from azext_amlk8s.time_limit import time_left

if TYPE_CHECKING:
    from httpx2 import Response

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
# One attempt with all of its response, which may arrive byte by byte, and with a credential plugin.
ATTEMPT_SECONDS = 100.0
# As client-go: https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
RETRIED_STATUSES = (429, 500, 503, 504)
RETRIES, RETRIES_AFTER_TIMEOUT = 4, 1
FIRST_BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 30.0
_CERTIFICATE = re.compile(r"certificate verify failed: ([^(\[]+)")


class Sender:
    """Sends the requests of one connection; http is the client below lightkube's."""

    def __init__(self, http: Any, server: str, context: str) -> None:
        self._http, self._server, self._context = http, server, context

    def send(self, method: str, path: str, **options: Any) -> Response:
        """The response to a request, which is repeated when throttled, and while the server fails.

        options are those of httpx: params, json, headers. Raises ClusterUnreachable, KubeconfigUnusable for a
        credential plugin that fails, and TimeLimitExceeded at the time limit of the command.
        """
        import httpx2

        done = 0
        while True:
            self._http.timeout = httpx2.Timeout(time_left(READ_SECONDS), connect=time_left(CONNECT_SECONDS))
            response, error, retries = self._attempt(method, path, options)
            if done >= retries:
                if response is None:
                    raise error or AssertionError
                return response
            backoff = max(FIRST_BACKOFF_SECONDS * 2**done, _retry_after(response))
            time.sleep(time_left(min(backoff, MOST_BACKOFF_SECONDS)))
            done += 1

    def _attempt(
        self, method: str, path: str, options: Mapping[str, Any]
    ) -> tuple[Response | None, Exception | None, int]:
        """The response or the error of one attempt, and how many retries make sense after it."""
        import httpx2
        from lightkube.core.exceptions import ConfigError

        try:
            response: Response = call_within(time_left(ATTEMPT_SECONDS), self._request, method, path, options)
        except httpx2.ConnectTimeout as error:  # the address is wrong or blocked
            return None, self._unreachable(error), 0
        except (httpx2.TimeoutException, TimeoutError) as error:
            time_left(ATTEMPT_SECONDS)
            return None, self._unreachable(error), RETRIES_AFTER_TIMEOUT
        except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
            return None, self._unreachable(error), RETRIES
        except (httpx2.TransportError, httpx2.InvalidURL, ssl.SSLError) as error:
            return None, self._unreachable(error), 0
        except httpx2.DecodingError:
            return None, unexpected_response(None, "a response that can be decoded"), 0
        except ConfigError as error:
            return None, ClusterRefused(401, "Unauthorized", str(error)), 0
        return response, None, RETRIES if response.status_code in RETRIED_STATUSES else 0

    def _request(self, method: str, path: str, options: Mapping[str, Any]) -> Response:
        response: Response = self._http.request(method, path, **options)
        return response

    def _unreachable(self, error: Exception) -> ClusterUnreachable:
        text = str(error)
        context = f" --context {self._context}" if self._context else ""
        if reason := _CERTIFICATE.search(text):
            return ClusterUnreachable(
                f"Cannot verify the certificate of the cluster at {self._server}: {reason[1].strip()}.",
                (
                    "Fetch its credentials again (az aks get-credentials --overwrite-existing): the kubeconfig holds "
                    "the CA of another or a re-created cluster.",
                ),
            )
        return ClusterUnreachable(
            f"The cluster at {self._server} cannot be reached: {text or type(error).__name__}.",
            (f"kubectl{context} cluster-info",),
        )


def _retry_after(response: Response | None) -> float:
    try:
        seconds = float(response.headers.get("Retry-After") or 0) if response is not None else 0.0
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
