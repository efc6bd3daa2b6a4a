"""The connections to Azure Resource Manager: one pool for both clients and all threads of the process."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import RequestsTransport

if TYPE_CHECKING:
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

    session = requests.Session()
    retries = Retry(total=False, redirect=False, raise_on_status=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=MOST_CONNECTIONS, max_retries=retries))
    return session
