"""Files whose values double with each name, or whose expressions are long, are checked in no time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping

import pytest

from azext_amlk8s.lint import SourceFile, lint

NAMES = 60
MOST_SECONDS = 2
BICEP = """resource e 'Microsoft.KubernetesConfiguration/extensions@2023-05-01' = {
  name: VALUE
  properties: {extensionType: 'Microsoft.AzureML.Kubernetes'}
}
"""
TERRAFORM = """resource "azurerm_kubernetes_cluster_extension" "x" {
  name           = VALUE
  cluster_id     = "b"
  extension_type = "Microsoft.AzureML.Kubernetes"
}
"""
SCRIPT = "az k8s-extension create --extension-type Microsoft.AzureML.Kubernetes --name VALUE\n"


def template(variables: Mapping[str, object]) -> str:
    name = f"[variables('a{NAMES}')]"
    extension = {"type": "Microsoft.KubernetesConfiguration/extensions", "apiVersion": "2023-05-01", "name": name}
    extension["properties"] = {"extensionType": "Microsoft.AzureML.Kubernetes"}  # type: ignore[assignment]
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
    return json.dumps({"$schema": schema, "variables": variables, "resources": [extension]})


def doubled(first: str, other: Callable[[str], str]) -> str:
    """Definitions of a0 to aN, each made of the one before it."""
    return "\n".join([f"a0{first}", *(f"a{number + 1}{other(f'a{number}')}" for number in range(NAMES))]) + "\n"


def variables(first: object, other: Callable[[str], object]) -> dict[str, object]:
    return {"a0": first, **{f"a{number + 1}": other(f"variables('a{number}')") for number in range(NAMES)}}


CASES = {
    "members.tf": TERRAFORM.replace("VALUE", "foo" + ".a" * 59),
    "members.bicep": BICEP.replace("VALUE", "foo" + ".a" * 59),
    "texts.tf": TERRAFORM.replace("VALUE", f"local.a{NAMES}")
    + "locals {\n" + doubled(' = "xxxx"', lambda name: f' = "${{local.{name}}}${{local.{name}}}"') + "}\n",
    "lists.tf": TERRAFORM.replace("VALUE", f"local.a{NAMES}")
    + "locals {\n" + doubled(" = [1]", lambda name: f" = concat(local.{name}, local.{name})") + "}\n",
    "texts.bicep": BICEP.replace("VALUE", f"a{NAMES}")
    + "\n".join(f"var {line}" for line in doubled(" = 'xxxx'", lambda name: f" = '${{{name}}}${{{name}}}'").splitlines()),
    "texts.json": template(variables("xxxx", lambda name: f"[concat({name}, {name})]")),
    "lists.json": template(variables(["x"], lambda name: f"[concat({name}, {name})]")),
    "objects.json": template(variables({"x": 1}, lambda name: {"x": f"[{name}]", "y": f"[{name}]"})),
    "texts.sh": doubled("=xxxx", lambda name: f'="${name}${name}"') + SCRIPT.replace("VALUE", f"$a{NAMES}"),
    "texts.ps1": "\n".join(
        f"${line}" for line in doubled(' = "xxxx"', lambda name: f' = "${name}${name}"').splitlines()
    ) + "\n" + SCRIPT.replace("VALUE", f"$a{NAMES}"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_values_that_double_are_bounded(name: str) -> None:
    started = time.process_time()
    lint([SourceFile(name, CASES[name], is_named=True)])
    assert time.process_time() - started < MOST_SECONDS
