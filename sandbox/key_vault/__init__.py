"""Azure Key Vault's data plane: secrets and certificates, on hosts that are reached through the sandbox's proxy."""
