"""The proxy between this computer and an API server, if there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.registered_secrets import register_secret

if TYPE_CHECKING:
    from urllib3 import PoolManager

    from azext_amlk8s.kubernetes.kubeconfig import Connection

LOOPBACK = ("localhost", "127.0.0.1", "::1")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


def pool_of(connection: Connection, **options: Any) -> PoolManager:
    """The pool of connections to the API server, through the proxy of the kubeconfig, or else of the environment.

    options are those of urllib3.PoolManager. Raises KubeconfigUnusable for an address of a proxy that is none.
    """
    import urllib3

    proxy = connection.cluster.get("proxy-url")
    where = f"of {connection.where}"
    if not proxy:
        proxy, where = _environment_proxy(connection.server), "that the environment names"
    if not proxy:
        return urllib3.PoolManager(**options)
    try:
        user = urlsplit(proxy)
        register_secret(user.password and unquote(user.password))
        if proxy.lower().startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(proxy, **options)
        pair = unquote(user.netloc.rpartition("@")[0])
        headers = urllib3.make_headers(proxy_basic_auth=pair) if pair else None
        return urllib3.ProxyManager(proxy, proxy_headers=headers, **options)
    except (urllib3.exceptions.HTTPError, ValueError):
        address = proxy.rpartition("@")[2]
        raise KubeconfigUnusable(f"The proxy '{address}' {where} is not an http or socks5 address.") from None


def _environment_proxy(server: str) -> str | None:
    """The proxy for an address by HTTPS_PROXY and NO_PROXY, as az and kubectl read them; none for this computer.

    https://pkg.go.dev/net/http#ProxyFromEnvironment
    """
    has_proxy = any(os.environ.get(name) for name in os.environ if name.lower() in VARIABLES)
    if not has_proxy or urlsplit(server).hostname in LOOPBACK:
        return None
    from requests.utils import get_environ_proxies, select_proxy

    proxy: str | None = select_proxy(server, get_environ_proxies(server))
    return proxy
