"""Microsoft.MachineLearningServices/locations/vmSizes: the VM sizes of a region."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.azure.behaviours import Behaviour, Call
from sandbox.azure.tree import Resource

SIZES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("vm_sizes.yaml").read_text(encoding="utf-8"))


class VirtualMachineSizes(Behaviour):
    """The VM sizes of a region, the same in all regions."""

    type = "Microsoft.MachineLearningServices/locations/vmSizes"
    needs_parent = False

    async def list(self, call: Call, resources: list[Resource]) -> dict[str, Any]:
        return {
            "value": [
                {
                    "name": size["name"],
                    "family": size["family"],
                    "vCPUs": size["cpu"],
                    "gpus": size["gpus"],
                    "memoryGB": float(size["memory"]),
                    "lowPriorityCapable": True,
                    "premiumIO": True,
                    "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
                }
                for size in SIZES
            ]
        }
