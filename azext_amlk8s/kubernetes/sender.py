"""Requests to an API server: their timeouts, their retries as in client-go, and what a failed connection means."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from azext_amlk8s.daemon_threads import call_within
from azext_amlk8s.kubernetes.errors import ClusterUnreachable
from azext_amlk8s.kubernetes.responses import Response, unexpected_response
from azext_amlk8s.response_size import LIMIT, bounded
from azext_amlk8s.time_limit import time_left

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from azext_amlk8s.kubernetes.credentials import Credentials

CONNECT_SECONDS, READ_SECONDS = 5.0, 30.0
# One attempt with all of its response, which may arrive byte by byte, and with a credential plugin.
ATTEMPT_SECONDS = 100.0
# As client-go: https://pkg.go.dev/k8s.io/client-go/rest#Request.MaxRetries
RETRIED_STATUSES = (429, 500, 503, 504)
RETRIES, RETRIES_AFTER_TIMEOUT = 4, 1
FIRST_BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 30.0
HEADERS = {"Accept": "application/json, */*", "Accept-Encoding": "gzip", "User-Agent": "az-amlk8s"}
PIECE_BYTES = 65_536
_CERTIFICATE = re.compile(r"certificate verify failed: ([^(\[]+)")


class Sender:
    """Sends the requests of one connection. server is the address of its API server, context that of the kubeconfig."""

    def __init__(self, http: PoolManager, credentials: Credentials, server: str, context: str) -> None:
        self._http, self._credentials = http, credentials
        self.server, self.context = server, context

    def close(self) -> None:
        """Close the connection; nothing may be sent after that."""
        self._http.clear()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The response to a request, which is repeated when throttled, and while the server fails.

        The body is sent as JSON. Raises ClusterUnreachable, KubeconfigUnusable for a credential plugin that fails, and
        TimeLimitExceeded at the time limit of the command.
        """
        url = self.server.rstrip("/") + path + (f"?{urlencode(params)}" if params else "")
        content = None if body is None else json.dumps(body).encode()
        sent = {**HEADERS, **({"Content-Type": "application/json"} if content else {}), **(headers or {})}
        done = 0
        while True:
            response, error, retries = self._attempt(method, url, content, sent)
            if done >= retries:
                if response is None:
                    raise error or AssertionError
                return response
            backoff = max(FIRST_BACKOFF_SECONDS * 2**done, _retry_after(response))
            time.sleep(time_left(min(backoff, MOST_BACKOFF_SECONDS)))
            done += 1

    def _attempt(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Response | None, Exception | None, int]:
        """The response or the error of one attempt, and how many retries make sense after it."""
        from urllib3 import exceptions

        try:
            response = call_within(time_left(ATTEMPT_SECONDS), self._request, method, url, content, headers)
        except (exceptions.ReadTimeoutError, TimeoutError) as error:
            time_left(ATTEMPT_SECONDS)
            return None, self._unreachable(error), RETRIES_AFTER_TIMEOUT
        except exceptions.ProtocolError as error:
            return None, self._unreachable(error), RETRIES
        except exceptions.DecodeError:
            expected = f"a response that can be decoded and is smaller than {LIMIT}"
            return None, unexpected_response(None, expected), 0
        except exceptions.HTTPError as error:  # the address is wrong or blocked, or does not serve TLS
            return None, self._unreachable(error), 0
        return response, None, RETRIES if response.status in RETRIED_STATUSES else 0

    def _request(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Response:
        response = self._request_once(method, url, content, {**headers, **self._credentials.header()})
        if response.status == 401 and self._credentials.can_change:
            renewed = self._credentials.header(renew=True)
            response = self._request_once(method, url, content, {**headers, **renewed})
        return response

    def _request_once(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]) -> Response:
        from urllib3 import Timeout
        from urllib3.exceptions import DecodeError

        response = self._http.urlopen(
            method,
            url,
            body=content,
            headers=headers,
            timeout=Timeout(connect=time_left(CONNECT_SECONDS), read=time_left(READ_SECONDS)),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        try:
            pieces = response.stream(PIECE_BYTES, decode_content=True)
            data = b"".join(bounded(pieces, DecodeError("the response is too large")))
        except BaseException:
            response.close()
            raise
        response.release_conn()
        host = urlsplit(self.server).hostname or ""
        return Response(host, response.status, response.reason or "", response.headers, data)

    def _unreachable(self, error: Exception) -> ClusterUnreachable:
        text = _reason(error)
        context = f" --context {self.context}" if self.context else ""
        if reason := _CERTIFICATE.search(text):
            return ClusterUnreachable(
                f"Cannot verify the certificate of the cluster at {self.server}: {reason[1].strip()}.",
                (
                    "Fetch its credentials again (az aks get-credentials --overwrite-existing): the kubeconfig holds "
                    "the CA of another or a re-created cluster.",
                ),
            )
        return ClusterUnreachable(
            f"The cluster at {self.server} cannot be reached: {text}.", (f"kubectl{context} cluster-info",)
        )


def _reason(error: BaseException) -> str:
    """What a connection failed with: the innermost error, which urllib3 wraps."""
    inner = error.__cause__ or next((arg for arg in reversed(error.args) if isinstance(arg, BaseException)), None)
    return _reason(inner) if inner else str(error) or type(error).__name__


def _retry_after(response: Response | None) -> float:
    try:
        seconds = float(response.headers.get("Retry-After") or 0) if response is not None else 0.0
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
