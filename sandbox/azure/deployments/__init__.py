"""Microsoft.Resources/deployments: templates are evaluated, and their resources written through the providers.

https://learn.microsoft.com/azure/azure-resource-manager/templates/
"""
