"""How a connection of a kubeconfig proves who it is, and how it verifies the API server."""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path

from azext_amlk8s.kubernetes.errors import KubeconfigUnusable
from azext_amlk8s.kubernetes.exec_plugin import run_plugin
from azext_amlk8s.kubernetes.kubeconfig import Connection
from azext_amlk8s.registered_secrets import register_secret


class Credentials:
    """The Authorization header of a connection: a token, a file with one, a credential plugin, or a password."""

    def __init__(self, connection: Connection) -> None:
        """Raises KubeconfigUnusable. A plugin runs with the first request."""
        self._connection = connection
        self._value = "" if connection.plugin else self._read()

    @property
    def can_change(self) -> bool:
        """Whether a rejected token may be replaced by another one."""
        return bool(self._connection.plugin or self._connection.user.get("tokenFile"))

    def header(self, *, renew: bool = False) -> dict[str, str]:
        """The header for a request, empty for a connection with a client certificate.

        With renew the token is read again. Raises KubeconfigUnusable where a plugin or a file has none.
        """
        if renew or (self._connection.plugin and not self._value):
            self._value = self._read()
        return {"Authorization": self._value} if self._value else {}

    def _read(self) -> str:
        connection, user = self._connection, self._connection.user
        if file := user.get("tokenFile"):
            return self._bearer(_read_text(connection, file).strip())
        if token := user.get("token"):
            return self._bearer(token)
        if connection.plugin:
            return self._bearer(run_plugin(connection.plugin, connection.where))
        if user.get("username") and user.get("password"):
            pair = f"{user['username']}:{user['password']}"
            return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        return ""

    def _bearer(self, token: str) -> str:
        register_secret(token)
        if not (token.isascii() and token.isprintable()):
            raise KubeconfigUnusable(f"The token in {self._connection.where} has characters that no token may have.")
        return f"Bearer {token}"


def tls_context(connection: Connection) -> ssl.SSLContext:
    """The trusted CAs and the client certificate of a connection. Raises KubeconfigUnusable."""
    where = connection.where
    try:
        context = _trust(connection)
        # As kubectl: CAs of clusters may lack extensions, such as the authority key identifier, that Python 3.13
        # requires by default: https://docs.python.org/3/library/ssl.html#ssl.VERIFY_X509_STRICT
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        _load_client_certificate(context, connection)
    except ssl.SSLError as error:
        reason = error.reason or "it is not valid PEM"
        raise KubeconfigUnusable(f"A certificate or key in {where} cannot be read: {reason}.") from None
    except (ValueError, OSError) as error:
        raise KubeconfigUnusable(f"The credentials in {where} cannot be used: {error}.") from None
    return context


def _trust(connection: Connection) -> ssl.SSLContext:
    cluster = connection.cluster
    if data := cluster.get("certificate-authority-data"):
        return ssl.create_default_context(cadata=base64.b64decode(data).decode("ascii"))
    if file := cluster.get("certificate-authority"):
        return ssl.create_default_context(cafile=str(connection.file(file)))
    context = ssl.create_default_context()
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _load_client_certificate(context: ssl.SSLContext, connection: Connection) -> None:
    user = connection.user
    if not (user.get("client-certificate-data") or user.get("client-certificate")):
        return
    with tempfile.TemporaryDirectory() as folder:  # which only the owner can read; ssl reads nothing but files
        certificate, key = (_pem_file(connection, name, folder) for name in ("client-certificate", "client-key"))
        context.load_cert_chain(certificate, key, lambda: "")  # an encrypted key is an error; OpenSSL would ask for it


def _pem_file(connection: Connection, name: str, folder: str) -> Path:
    """The file with the certificate or the key of the user; one with its data is written into the folder."""
    if data := connection.user.get(f"{name}-data"):
        path = Path(folder) / name
        path.write_bytes(base64.b64decode(data))
        return path
    if file := connection.user.get(name):
        return connection.file(file)
    raise KubeconfigUnusable(f"The user of context '{connection.context}' in {connection.where} has no {name}.")


def _read_text(connection: Connection, name: str) -> str:
    file = connection.file(name)
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise KubeconfigUnusable(f"'{file}', which {connection.where} refers to, cannot be read: {reason}.") from None
