"""The connections to Azure Resource Manager: one pool for both clients and all threads of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import RequestsTransport  # pylint: disable=no-name-in-module

if TYPE_CHECKING:
    from requests import Session

# As many as the threads of a fleet: a connection that does not fit into the pool is closed after its request, and
# opening one costs more than the request.
MOST_CONNECTIONS = 200
# More than the longest list; a response of a few kB may be compressed from any size.
MOST_BYTES = 100_000_000


def pooled_transport(**kwargs: Any) -> RequestsTransport:
    """azure-core's transport on the shared pool; kwargs are those of a client."""
    return RequestsTransport(**kwargs, session=_session(), session_owner=False)


@cache
def _session() -> Session:
    """A session without retries of its own: those of the policies apply."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    class BoundedAdapter(HTTPAdapter):  # type: ignore[misc,unused-ignore]  # requests has no types
        """An adapter whose responses cannot be larger than MOST_BYTES, decompressed."""

        def build_response(self, req: Any, resp: Any) -> Any:
            resp.stream = partial(_bounded, resp.stream)
            return super().build_response(req, resp)

    session = requests.Session()
    retries = Retry(total=False, redirect=False, raise_on_status=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(pool_maxsize=MOST_CONNECTIONS, max_retries=retries))
    return session


def _bounded(stream: Callable[..., Iterator[bytes]], *args: Any, **kwargs: Any) -> Iterator[bytes]:
    """The pieces of a body. Raises ContentDecodingError for one that is too large."""
    from requests.exceptions import ContentDecodingError

    size = 0
    for piece in stream(*args, **kwargs):
        size += len(piece)
        if size > MOST_BYTES:
            raise ContentDecodingError(f"The response is larger than {MOST_BYTES // 1_000_000} MB.")
        yield piece
