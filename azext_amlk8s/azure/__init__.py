"""The client for Azure; those for many clusters are imported from their own modules, by few commands."""

from azext_amlk8s.azure.client import AzureClient
from azext_amlk8s.azure.operation import Operation
from azext_amlk8s.azure.state_poller import StatePoller

__all__ = ["AzureClient", "Operation", "StatePoller"]
