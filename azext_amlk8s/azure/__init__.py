"""The client for Azure."""

from azext_amlk8s.azure.client import AzureClient
from azext_amlk8s.azure.fleet_client import FleetClient
from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.snapshot_client import SnapshotClient
from azext_amlk8s.azure.state_poller import StatePoller

__all__ = ["AzureClient", "FleetClient", "Operation", "SnapshotClient", "StatePoller"]
