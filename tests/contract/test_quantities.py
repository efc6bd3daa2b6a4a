"""Our reading of quantities against a real kube-apiserver's: it says what is one, and how it writes it."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azext_amlk8s.scheduling.quantities import amount, quantity
from sandbox.world import DEFAULT_WORLD
from tests.contract.verified import count_verified

Ask = Callable[[str], str | None]
NEGATIVE = "must be greater than or equal to 0"
BEYOND_SUFFIXES = 10**21
NUMBERS = st.from_regex(r"[+-]?[0-9]{1,22}(\.[0-9]{0,14})?|[+-]?\.[0-9]{1,12}", fullmatch=True)
SUFFIXES = st.sampled_from(["", *"numkMGTPE", *(f"{item}i" for item in "KMGTPE"), "K", "ki", "B", "MB", "Zi", "Y"])
EXPONENTS = st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 24))
WELL_FORMED = st.builds("{}{}".format, NUMBERS, SUFFIXES | EXPONENTS)
NOISE = st.text("0123456789.+-eEinumkKMGTP ", max_size=9)


@pytest.fixture(scope="module")
def ask(start: Callable[..., Any], tmp_path_factory: Any) -> Ask:
    """What a real API server makes of a quantity: its canonical form, "" for a negative one, None for what is none."""
    if "KUBEBUILDER_ASSETS" not in os.environ:
        pytest.skip("KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")
    world = yaml.safe_load(DEFAULT_WORLD.read_text(encoding="utf-8"))
    world["clusters"] = [{"name": "real", "real": True, "group": "ml-rg", "type": "connectedClusters", "pools": []}]
    file = tmp_path_factory.mktemp("world") / "world.yaml"
    file.write_text(yaml.safe_dump(world), encoding="utf-8")
    box = start("--world", str(file))
    config = yaml.safe_load(Path(box.env["KUBECONFIG"]).read_text(encoding="utf-8"))
    context = ssl.create_default_context(cafile=str(box.folder / "ca.pem"))
    url = f"{config['clusters'][0]['cluster']['server']}/api/v1/namespaces/default/resourcequotas?dryRun=All"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {config['users'][0]['user']['token']}"}

    def _send(text: str) -> str | None:
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "q"},
            "spec": {"hard": {"cpu": text}},
        }
        request = urllib.request.Request(url, json.dumps(quota).encode(), headers)
        try:
            with urllib.request.urlopen(request, context=context, timeout=20) as response:
                return str(json.load(response)["spec"]["hard"]["cpu"])
        except urllib.error.HTTPError as error:
            message = json.load(error)["message"]
            if error.code == 422 and NEGATIVE in message:
                return ""
            assert error.code == 400, message
            return None

    return _send


def assert_equal_quantities(text: str, ask: Ask) -> None:
    theirs, ours = ask(text), quantity(text)
    if theirs is None:
        assert ours is None
    elif theirs == "":
        assert ours is not None and ours < 0
    elif ours is not None and ours >= BEYOND_SUFFIXES:
        pass  # apimachinery has no suffix for it: it writes 1000E as 1, so its answer cannot be compared
    else:
        assert ours is not None and ours == amount(theirs)
    count_verified("quantities", "real kube-apiserver")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "0",
            "1",
            "100m",
            "0.6",
            "1.",
            ".5",
            "+1",
            "-1",
            "1n",
            "1u",
            "1500u",
            "1e3",
            "1E3",
            "1E",
            "1e",
            "1Ei",
            "1Ki",
            "1.5Ki",
            "0.1Gi",
        ),
        *(
            "1ki",
            "1K",
            "1MB",
            "2gi",
            "500MB",
            "4GB",
            "1 Gi",
            " 1Gi ",
            "",
            ".",
            "+",
            "-",
            "m",
            "Ki",
            "Ei",
            ".Pi",
            "1e3Ki",
            "1Zi",
            "1Y",
            "1e-3",
            "1E+3",
        ),
        *(
            "0.0000000001",
            "9Ei",
            "16E",
            "9223372036854775807",
            "9223372036854775808",
            "0.0005",
            "1.0005",
            "01",
            "1_000",
            "1,5",
        ),
        *("12345678901234567890", "0x10", "Infinity", "NaN", "١", "1e-10", "8Ei", "7.99999999Ei"),
    ],
)
def test_examples(text: str, ask: Ask) -> None:
    """Spellings that people write, and the edges of the grammar."""
    assert_equal_quantities(text, ask)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=WELL_FORMED | NOISE)
def test_any_text(text: str, ask: Ask) -> None:
    """Whatever else."""
    assert_equal_quantities(text, ask)
