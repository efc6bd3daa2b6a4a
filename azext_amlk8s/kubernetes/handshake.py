"""The certificates that a server presents in a TLS handshake; nothing is sent after it."""

from __future__ import annotations

import select
import socket
import time


class HandshakeFailed(Exception):
    """The address cannot be reached, or does not serve TLS; the text says which."""


def served_certificates(host: str, port: int, server_name: str, seconds: float) -> list[bytes]:
    """The certificates (DER) that a server presents for a name, its own first. They are not verified.

    Raises HandshakeFailed, at the latest after so many seconds.
    """
    from OpenSSL import SSL
    from OpenSSL.crypto import FILETYPE_ASN1, dump_certificate

    deadline = time.monotonic() + seconds
    try:
        connection = socket.create_connection((host, port), timeout=seconds)
    except (OSError, UnicodeError) as error:
        raise HandshakeFailed(f"{host}:{port} cannot be reached: {_reason(error)}") from None
    with connection:
        connection.setblocking(False)
        tls = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), connection)
        tls.set_connect_state()
        if server_name and not server_name.replace(".", "").isdigit():
            tls.set_tlsext_host_name(server_name.encode("idna"))
        try:
            _shake_hands(tls, connection, deadline)
        except SSL.Error as error:
            raise HandshakeFailed(f"{host}:{port} does not serve TLS: {_tls_reason(error)}") from None
        except OSError as error:
            raise HandshakeFailed(f"{host}:{port} does not serve TLS: {_reason(error)}") from None
        return [dump_certificate(FILETYPE_ASN1, each) for each in tls.get_peer_cert_chain() or ()]


def _shake_hands(tls: object, connection: socket.socket, deadline: float) -> None:
    """Complete the handshake of a connection that does not block. Raises TimeoutError, OpenSSL's errors."""
    from OpenSSL import SSL

    assert isinstance(tls, SSL.Connection)
    while True:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        try:
            tls.do_handshake()
            return
        except SSL.WantReadError:
            select.select([connection], [], [], remaining)
        except SSL.WantWriteError:
            select.select([], [connection], [], remaining)


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error or type(error).__name__).lower()


def _tls_reason(error: Exception) -> str:
    """The last reason of OpenSSL's queue of errors."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return str(queue[-1][-1]) if queue else "the connection was closed"
