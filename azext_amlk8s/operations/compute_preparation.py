"""What `compute attach` creates before it attaches: the namespace, and the roles of the workspace's identity."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from azext_amlk8s.computes import AttachFacts, AttachRequest, RoleNeeded
from azext_amlk8s.operations.compute_facts import read_missing_roles
from azext_amlk8s.operations.waiting import Deadline

if TYPE_CHECKING:
    from azext_amlk8s.azure import AzureClient
    from azext_amlk8s.kubernetes import Cluster

ROLES_INTERVAL_SECONDS = 2


def create_namespace(connection: Cluster | None, request: AttachRequest, facts: AttachFacts) -> None:
    """Create the namespace of the request unless it exists."""
    from azure.cli.core.azclierror import BadRequestError
    from knack.log import get_logger

    from azext_amlk8s.kubernetes import ClusterRefused, ClusterUnreachable

    log = get_logger(__name__)
    if connection is None or facts.contents is None or request.namespace in facts.contents.namespaces:
        return
    try:
        connection.create_namespace(request.namespace)
    except (ClusterRefused, ClusterUnreachable) as error:
        raise BadRequestError(
            f"Could not create namespace '{request.namespace}': {error}",
            recommendation=request.kubectl(f"create namespace {request.namespace}"),
        ) from error
    log.warning("Created namespace '%s' in cluster '%s'.", request.namespace, request.cluster.name)


def assign_roles(client: AzureClient, request: AttachRequest, roles: Sequence[RoleNeeded], deadline: Deadline) -> None:
    """Assign roles and wait until they are visible.

    Raises ForbiddenError with the commands for somebody else, and DeploymentError after the deadline.
    """
    from azure.cli.core.azclierror import DeploymentError, ForbiddenError
    from azure.core.exceptions import HttpResponseError
    from knack.log import get_logger

    log = get_logger(__name__)
    for role in roles:
        try:
            client.assign_role(role.scope, role.role_id, role.principal_id)
        except HttpResponseError as error:
            if error.status_code != 403:
                raise
            raise ForbiddenError(
                "You do not have permission to assign roles. An Owner or User Access Administrator must run:",
                recommendation=[each.command for each in roles],
            ) from error
        log.warning("Assigned role '%s' on '%s'.", role.role, role.scope_name)
    log.warning("Waiting until the roles are visible.")
    while missing := read_missing_roles(client, request.cluster, roles):
        if deadline.expired:
            names = ", ".join(f"'{role.role}'" for role in missing)
            raise DeploymentError(
                f"Stopped waiting after {deadline.seconds:g} seconds. Not visible yet: {names}. Nothing was attached.",
                recommendation="Run the same command again in ten minutes.",
            )
        time.sleep(min(ROLES_INTERVAL_SECONDS, deadline.remaining))
