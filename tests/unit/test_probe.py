"""The result of a probe: what the pod writes, and what is read from it."""

from __future__ import annotations

import json

from azext_amlk8s.checks.facts import HostResult, PoolProbe
from azext_amlk8s.checks.probe import parse_result
from azext_amlk8s.kubernetes import probe_script

FAILED = {"host": "b.example", "stage": "connect", "error": "timed out"}
ISSUER = "Organization, Name of an authority"


def test_result_is_read() -> None:
    text = probe_script.to_text([{"host": "a.example", "issuer": ISSUER}, FAILED])
    probe = parse_result("gpu", "node-1", 0, text)
    assert (probe.state, probe.node) == ("done", "node-1")
    assert probe.hosts == (
        HostResult("a.example", issuer=ISSUER),
        HostResult("b.example", "connect", "timed out"),
    )


def test_cut_off_result_is_a_failure_with_its_end() -> None:
    """The kubelet keeps 4096 bytes, and a command that does not exist leaves a sentence."""
    text = probe_script.to_text([FAILED])[:-3]
    assert parse_result("gpu", "node-1", 0, text).state == "failed"
    message = "exec: python3: executable file not found in $PATH"
    expected = PoolProbe("gpu", "failed", f"exit code 127: {message}", "node-1")
    assert parse_result("gpu", "node-1", 127, message) == expected


def test_hosts_of_every_cloud_fit_into_the_termination_message() -> None:
    """Even where all of them fail."""
    from azext_amlk8s.knowledge.clouds import find_cloud, outbound_endpoints

    for cloud in ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud"):
        names = {"region": "southcentralus2", "workspace": "0" * 36, "account": "a" * 24, "acr": "r" * 50}
        endpoints = outbound_endpoints(find_cloud(cloud), "connectedClusters", **names)
        results = [
            {"host": endpoint.host, "stage": "tls", "error": "e" * 60, "issuer": "i" * 60}
            for endpoint in endpoints
            if not endpoint.is_pattern
        ]
        assert len(results) > 8
        assert len(probe_script.to_text(results).encode()) <= probe_script.MOST_BYTES


def test_password_of_a_proxy_is_not_written() -> None:
    assert probe_script.hide_user("http://user:secret@proxy.example:3128") == "http://proxy.example:3128"
    assert "secret" not in json.dumps(probe_script.hide_user("user:secret@proxy.example"))
