"""Requests to an API server: their timeouts, their retries as in client-go, and what a failed connection means."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from azext_amlk8s.kubernetes.errors import ClusterRefused, ClusterUnreachable
from azext_amlk8s.kubernetes.responses import refused, unexpected_response
from azext_amlk8s.time_limit import time_left

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
# As client-go: https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
RETRIED_STATUSES = (429, 500, 503, 504)
RETRIES, RETRIES_AFTER_TIMEOUT = 4, 1
FIRST_BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 30.0
_CERTIFICATE = re.compile(r"certificate verify failed: ([^(\[]+)")


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt: its result or its error; how many retries make sense, and after how many seconds."""

    result: Any = None
    error: Exception | None = None
    retries: int = 0
    seconds: float = 0.0


class Sender:
    """Sends the requests of one connection; http is the client below lightkube's."""

    def __init__(self, http: Any, server: str, context: str) -> None:
        self._http, self._server, self._context = http, server, context

    def send(self, send: Callable[[], T]) -> T:
        """The result of a request, which is repeated when throttled, and while the server fails.

        Raises ClusterRefused, ClusterUnreachable, and TimeLimitExceeded at the time limit of the command.
        """
        import httpx2

        done = 0
        while True:
            self._http.timeout = httpx2.Timeout(time_left(READ_SECONDS), connect=time_left(CONNECT_SECONDS))
            attempt = self._attempt(send)
            if done >= attempt.retries:
                if attempt.error is not None:
                    raise attempt.error
                return cast(T, attempt.result)
            backoff = min(max(FIRST_BACKOFF_SECONDS * 2**done, attempt.seconds), MOST_BACKOFF_SECONDS)
            time.sleep(time_left(backoff))
            done += 1

    def _attempt(self, send: Callable[[], Any]) -> Attempt:
        import httpx2
        from lightkube.core.exceptions import ApiError, ConfigError

        try:
            result = send()
        except ApiError as error:
            retries = RETRIES if error.status.code in RETRIED_STATUSES else 0
            return Attempt(None, refused(error), retries, _retry_after(error.response))
        except httpx2.ConnectTimeout as error:  # the address is wrong or blocked
            return Attempt(None, self._unreachable(error))
        except httpx2.TimeoutException as error:
            return Attempt(None, self._unreachable(error), RETRIES_AFTER_TIMEOUT)
        except (httpx2.ReadError, httpx2.RemoteProtocolError) as error:
            return Attempt(None, self._unreachable(error), RETRIES)
        except (httpx2.TransportError, httpx2.InvalidURL, ssl.SSLError) as error:
            return Attempt(None, self._unreachable(error))
        except httpx2.DecodingError:
            return Attempt(None, unexpected_response(None, "a response that can be decoded"))
        except (ValueError, TypeError, AttributeError, KeyError):  # lightkube decodes what it receives
            return Attempt(None, unexpected_response(None, "a Kubernetes object"))
        except ConfigError as error:
            return Attempt(None, ClusterRefused(401, "Unauthorized", str(error)))
        retries = RETRIES if getattr(result, "status_code", None) in RETRIED_STATUSES else 0
        return Attempt(result, None, retries, _retry_after(result))

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


def _retry_after(response: Any) -> float:
    try:
        return float(response.headers.get("Retry-After") or 0)
    except (AttributeError, ValueError):
        return 0.0
