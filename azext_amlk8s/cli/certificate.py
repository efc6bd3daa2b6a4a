"""az amlk8s extension certificate"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azext_amlk8s.cli import options
from azext_amlk8s.cli.declaration import Command, Group, Option, Row

AKS = "-t managedClusters -c my-aks -g my-group"
ARC = "-t connectedClusters -c my-cluster -g my-group"
TITLES = {"given": "Given to the router", "served": "Served by the router", "candidate": "New certificate"}


def certificate_rows(result: Mapping[str, Any]) -> list[Row]:
    """A row for each certificate."""
    return [_row(title, result[part]) for part, title in TITLES.items() if part in result]


def _row(title: str, certificate: Mapping[str, Any]) -> Row:
    return {
        "Certificate": title,
        "Names": ", ".join(certificate.get("names") or ()),
        "Expires": str(certificate.get("notAfter") or "")[:10],
        "DaysLeft": certificate.get("daysLeft"),
        "SHA-256": str(certificate.get("sha256") or "")[:16],
    }


def certificate_text(result: Mapping[str, Any]) -> list[str]:
    """Each certificate with its public parts, and whether the router serves what it was given."""
    lines = []
    for part, title in TITLES.items():
        if part in result:
            lines += _certificate_lines(title, result[part])
    match = {
        True: "✓ The router serves the certificate that it was given.",
        False: "✗ The router serves another certificate than it was given.",
    }
    verdict = match.get(result["matches"], "– Not compared: one of the certificates cannot be read.")
    lines += ["", verdict]
    if result.get("writes"):
        lines += [f"~ {written}" for written in result["writes"]]
        lines.append("Nothing was changed; run the command without --dry-run to apply this plan.")
    if result.get("rollback") and "action" not in result:
        lines.append(f"To return to the certificate before: {result['rollback']}")
    return lines


def _certificate_lines(title: str, certificate: Mapping[str, Any]) -> list[str]:
    where = certificate.get("source") or certificate.get("address")
    lines = [f"{title}{f' ({where})' if where else ''}"]
    if "unavailable" in certificate:
        return [*lines, f"    not available: {certificate['unavailable']}"]
    days = certificate["daysLeft"]
    left = f"{days} days left" if days >= 0 else "expired"
    return [
        *lines,
        f"    names    {', '.join(certificate['names']) or 'none'}",
        f"    subject  {certificate['subject']}",
        f"    issuer   {certificate['issuer']}",
        f"    expires  {certificate['notAfter'][:10]}, {left}",
        f"    sha-256  {certificate['sha256']}",
        f"    chain    {' <- '.join(certificate['chain'])}",
    ]


NAME = Option("name", ("--name", "-n"), "Name of the extension. Default: the AzureML extension of the cluster.")
SOURCE = tuple(
    option.but(group="New Certificate")
    for option in (
        Option("cert", ("--cert",), "File with the certificate chain in PEM, or with chain and key in PEM or PFX."),
        Option("key", ("--key",), "File with the private key in PEM, not encrypted."),
        Option(
            "from_secret",
            help="Secret of the cluster as NAMESPACE/NAME, with tls.crt and tls.key (cert-manager) or with cert.pem "
            "and key.pem.",
        ),
        Option(
            "from_key_vault",
            help="ID of a certificate in Azure Key Vault, as az keyvault returns it; without a version "
            "the current one.",
        ),
    )
)
ADDRESS = Option("address", help="Address of the router as HOST or HOST:PORT. Default: that of its service.")
CLUSTER = (*options.CLUSTER, NAME, ADDRESS, options.KUBECONFIG, options.CONTEXT)

GROUP = Group(
    "amlk8s extension certificate",
    "Manage the certificate of the inference router.",
    (
        Command(
            name="show",
            operation="extension_certificate#show",
            summary="Show the certificate that the router was given, and the one that it serves.",
            description="Subject, names, issuer, chain, expiry and fingerprint; never the private key. The served "
            "certificate comes from a TLS handshake with the address of the router. A certificate that Azure stores "
            "as a protected setting is read from the Helm release in the cluster.",
            options=(*CLUSTER, *SOURCE),
            examples=(
                ("Show the certificates of an AKS cluster.", f"az amlk8s extension certificate show {AKS}"),
                (
                    "Compare with a renewed certificate in Key Vault.",
                    f"az amlk8s extension certificate show {AKS} --from-key-vault $CERTIFICATE_ID",
                ),
            ),
            table=certificate_rows,
            text=certificate_text,
            is_show=True,
        ),
        Command(
            "rotate",
            "extension_certificate#rotate",
            "Replace the certificate of the inference router.",
            description="The new certificate is validated before anything is written. The other protected settings, "
            "such as the connection string of the relay, are read again and sent with it. The command waits until the "
            "router serves the new certificate. The certificate before is kept in a Secret of namespace azureml; "
            "--rollback returns to it. Endpoints keep running.",
            options=(
                *CLUSTER,
                *SOURCE,
                Option("rollback", help="Return to the certificate before the current one.", is_flag=True),
                Option(
                    "timeout",
                    help="Maximum wait in seconds. The operation continues in Azure when it has passed.",
                    settings={"type": options.whole_number},
                ),
                options.DRY_RUN,
                options.YES,
            ),
            examples=(
                (
                    "Give the router a renewed certificate.",
                    f"az amlk8s extension certificate rotate {AKS} --cert cert.pem --key key.pem",
                ),
                (
                    "Take the certificate of cert-manager.",
                    f"az amlk8s extension certificate rotate {ARC} --from-secret cert-manager/fe-tls",
                ),
                (
                    "Take the current version from Key Vault without a prompt.",
                    f"az amlk8s extension certificate rotate {AKS} --yes --from-key-vault $CERTIFICATE_ID",
                ),
                ("Return to the certificate before.", f"az amlk8s extension certificate rotate {AKS} --rollback"),
            ),
            table=certificate_rows,
            text=certificate_text,
        ),
    ),
)
