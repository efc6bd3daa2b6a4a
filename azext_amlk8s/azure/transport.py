"""The connections to Azure Resource Manager: one pool for both clients and all threads of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from azure.core.pipeline.transport import RequestsTransport  # pylint: disable=no-name-in-module

from azext_amlk8s.response_size import LIMIT, bounded

if TYPE_CHECKING:
    from ssl import SSLContext

    from requests import Session

# As many as the threads of a fleet: a connection that does not fit into the pool is closed after its request, and
# opening one costs more than the request.
MOST_CONNECTIONS = 200


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
            # A reference to the method itself would keep every response until the garbage collector finds it.
            resp.stream = partial(_bounded, WeakMethod(resp.stream))
            return super().build_response(req, resp)

        def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
            super().cert_verify(conn, url, verify, cert)
            authorities = conn.ca_certs, conn.ca_cert_dir
            if any(authorities):
                conn.conn_kw["ssl_context"] = _tls_context(*authorities)
                conn.ca_certs = conn.ca_cert_dir = None

    session = requests.Session()
    retries = Retry(total=False, redirect=False, raise_on_status=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(pool_maxsize=MOST_CONNECTIONS, max_retries=retries))
    return session


@cache
def _tls_context(file: str | None, folder: str | None) -> SSLContext:
    """The context with these certificates of authorities. Raises SSLError where they cannot be read.

    urllib3 reads them for every connection, which takes longer than the request and 0.7 MB for each.
    """
    import ssl

    from requests.exceptions import SSLError
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    try:
        context.load_verify_locations(file, folder)
    except (OSError, ssl.SSLError) as error:
        raise SSLError(error) from error
    return context


def _bounded(stream: WeakMethod[Callable[..., Iterator[bytes]]], *args: Any, **kwargs: Any) -> Iterator[bytes]:
    """The pieces of a body. Raises ContentDecodingError for one that is too large."""
    from requests.exceptions import ContentDecodingError

    read = stream()
    return bounded(read(*args, **kwargs) if read else (), ContentDecodingError(f"The response is larger than {LIMIT}."))
