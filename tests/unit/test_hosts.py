"""Which hosts get a token."""

from __future__ import annotations

import pytest

from azext_amlk8s.azure.auth_policy import ForeignHost, is_host_of_cloud

ARM = "https://management.azure.com/"


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions",
        "https://management.azure.com:443/subscriptions?api-version=1",
        "https://MANAGEMENT.azure.com",
        "HTTPS://management.azure.com/",
        "https://eastus.management.azure.com/subscriptions",
        "https://management.azure.com?a=b@c.example",
        "https://management.azure.com/a@b",
    ],
)
def test_hosts_of_the_cloud(url: str) -> None:
    assert is_host_of_cloud(url, ARM)


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com/subscriptions",
        "https://management.azure.com:8443/subscriptions",
        "https://management.azure.com:99999/",
        "https://management.azure.com:/",
        "https://management.azure.com.evil.example/",
        "https://evilmanagement.azure.com/",
        "https://evil.example/management.azure.com",
        "https://evil.example/?.management.azure.com",
        "https://evil.example#.management.azure.com",
        "https://evil.example\\.management.azure.com/",
        "https://evil.example\\@management.azure.com/",
        "https://management.azure.com@evil.example/",
        "https://user:password@management.azure.com/",
        "https://management.azure.com./",
        "https://evil.example\t.management.azure.com/",
        "https://evil.example\n.management.azure.com/",
        "https://evil.example .management.azure.com/",
        "https://evil.example%2f.management.azure.com/",
        "https://evil.example\u2044.management.azure.com/",
        "https://management.azure\u3002com/",
        "https://m\u0430nagement.azure.com/",
        "https://management.azure.com\u2100/",
        "https://.management.azure.com/",
        "https://[::1/",
        "https://[::1]/",
        "https:management.azure.com/",
        "https:///management.azure.com/",
        "//management.azure.com/",
        "/subscriptions",
        " https://management.azure.com/",
        "",
    ],
)
def test_other_addresses(url: str) -> None:
    assert not is_host_of_cloud(url, ARM)
    assert "Nothing was sent there." in str(ForeignHost(url, ARM))


def test_a_cloud_with_a_port_of_its_own() -> None:
    assert is_host_of_cloud("https://localhost:8443/x", "https://localhost:8443")
    assert not is_host_of_cloud("https://localhost/x", "https://localhost:8443")
