"""Microsoft.ManagedIdentity."""

from sandbox.azure.behaviours import StoredType

ALL = (StoredType("Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials"),)
