"""Azure Policy: definitions, assignments and remediations.

https://learn.microsoft.com/azure/governance/policy/overview
"""

from sandbox.azure.behaviours import StoredType
from sandbox.azure.policy.assignments import PolicyAssignments
from sandbox.azure.policy.definitions import PolicyDefinitions

ALL = (PolicyDefinitions(), PolicyAssignments(), StoredType("Microsoft.PolicyInsights/remediations"))
