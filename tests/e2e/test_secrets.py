"""No secret is said: not on stdout, not on stderr with --debug, not in the sandbox's log."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.demo import sandbox


@pytest.fixture(scope="module")
def key_pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    name = ["-subj", "/CN=ml.example.com", "-addext", "subjectAltName=DNS:ml.example.com"]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-keyout",
            key,
            "-out",
            cert,
            *name,
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_a_private_key_stays_private(box: Any, key_pair: tuple[Path, Path]) -> None:
    """The key's contents are sent to Azure and go nowhere else."""
    cert, key = key_pair
    words = [
        "amlk8s",
        "extension",
        "create",
        "-n",
        "azureml-extension",
        "-c",
        "aks-single",
        "-t",
        "managedClusters",
        "-g",
        "ml-rg",
    ]
    said = box.az(
        *words,
        *["--config", "enableInference=True", "inferenceRouterServiceType=nodePort", "inferenceRouterHA=False"],
        *["--config-protected", f"sslCertPemFile={cert}", f"sslKeyPemFile={key}", "--debug"],
    )
    assert said.code == 0, said.err
    everything = said.out + said.err + sandbox("log", "--dir", str(box.folder))
    plain = key.read_text().splitlines()[1]
    encoded = base64.b64encode(key.read_bytes()).decode()[64:128]
    assert "PUT" in said.err
    assert plain not in everything
    assert encoded not in everything


def test_credentials_of_a_cluster_stay_private(box: Any) -> None:
    """The kubeconfig that Azure hands out is not shown, not even with --debug; nor is it left in a file."""
    said = box.az("amlk8s", "instance-type", "list", "-c", "aks-poc", "-g", "ml-rg", "--debug")
    token = next(line for line in Path(box.env["KUBECONFIG"]).read_text().splitlines() if "token:" in line).split()[-1]
    assert token not in said.out + said.err
    assert base64.b64encode(token.encode()).decode()[:40] not in said.err
    left = [file for file in box.folder.joinpath("work").rglob("*") if file.is_file()]
    assert left == []
