"""The sandbox's own certificate authority."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

from sandbox.key_vault.entries import DNS_SUFFIX


class Authority:
    """A CA and one certificate for loopback and vaults, created for each sandbox."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self._certificate = self._ca.issue_cert("127.0.0.1", "localhost", f"*.{DNS_SUFFIX}")
        self._directory = directory
        self.ca_pem: bytes = self._ca.cert_pem.bytes()
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self.ca_pem)
        self._server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._certificate.configure_cert(self._server)
        self._client = ssl.create_default_context(cadata=self.ca_pem.decode("ascii"))

    def server_context(self) -> ssl.SSLContext:
        """The context of a server on 127.0.0.1 or localhost or of a vault, the same for all."""
        return self._server

    def client_context(self) -> ssl.SSLContext:
        """The context of a client that trusts only this CA, the same for all."""
        return self._client

    def server_files(self) -> tuple[Path, Path]:
        """Certificate and key of the server as files, the key for its owner alone."""
        certificate, key = self._directory / "server.pem", self._directory / "server.key"
        certificate.write_bytes(b"".join(blob.bytes() for blob in self._certificate.cert_chain_pems))
        key.touch(mode=0o600)
        key.write_bytes(self._certificate.private_key_pem.bytes())
        return certificate, key
