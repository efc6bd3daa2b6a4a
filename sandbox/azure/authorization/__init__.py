"""Microsoft.Authorization."""

from sandbox.azure.authorization.locks import Locks
from sandbox.azure.authorization.roles import Permissions, RoleAssignments, RoleDefinitions

ALL = (RoleDefinitions(), RoleAssignments(), Permissions(), Locks())
