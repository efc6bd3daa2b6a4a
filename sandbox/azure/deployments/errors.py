"""Errors of deployments in the words of ARM.

https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.azure.deployments.expressions import TemplateError
from sandbox.azure.errors import ArmError


def invalid_template(error: TemplateError) -> ArmError:
    """A template that cannot be deployed."""
    if error.code != "InvalidTemplate":
        status = 413 if error.code == "RequestContentTooLarge" else 400
        return ArmError(status, error.code, f"The request content was invalid: {error.message}")
    info = {"lineNumber": 1, "linePosition": 1, "path": ""}
    return ArmError(
        400,
        "InvalidTemplate",
        f"Deployment template validation failed: '{error.message}'.",
        additionalInfo=[{"type": "TemplateViolation", "info": info}],
    )


def failed_preflight(name: str, tracking: str, errors: list[dict[str, Any]]) -> ArmError:
    """Resources of a template that the caller or a policy does not permit."""
    if all(error["code"] == "AuthorizationFailed" for error in errors):
        count = "" if len(errors) == 1 else "multiple errors: "
        texts = ", ".join(f"'{error['message']}'" for error in errors)
        text = f"Deployment failed with {count}{texts}" if count else errors[0]["message"]
        return ArmError(403, "InvalidTemplateDeployment", text, details=errors)
    if all(error["code"] == "RequestDisallowedByPolicy" for error in errors):
        text = "The template deployment failed because of policy violation. Please see details for more information."
    else:
        text = (
            f"The template deployment '{name}' is not valid according to the validation procedure. The tracking id is "
            f"'{tracking}'. See inner errors for details."
        )
    return ArmError(400, "InvalidTemplateDeployment", text, details=errors)


def still_active(deployment_id: str) -> ArmError:
    """A deployment of this name is running."""
    text = (
        f"The deployment with resource id '{deployment_id}' cannot be saved, because this would overwrite an existing "
        "deployment which is still active. Please see https://aka.ms/arm-deployment-operations for usage details."
    )
    return ArmError(409, "DeploymentActive", text)


def deployment_not_found(name: str) -> ArmError:
    """No deployment of this name is in the history."""
    return ArmError(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")


def quota_exceeded(name: str, limit: int) -> ArmError:
    """The history of the scope is full, and cannot be cleaned up."""
    text = (
        f"Creating the deployment '{name}' would exceed the quota of '{limit}'. The current deployment count is "
        f"'{limit}'. Please delete some deployments before creating a new one, or see "
        "https://aka.ms/arm-deployment-quota for information on managing deployment limits."
    )
    return ArmError(409, "DeploymentQuotaExceeded", text)


def not_cancelable(name: str, state: str) -> ArmError:
    """The deployment has ended already."""
    text = f"The deployment '{name}' cannot be canceled, because it is in the state '{state}'."  # assumed
    return ArmError(409, "DeploymentCannotBeCancelled", text)


def wrong_location(name: str, location: str, known: str) -> ArmError:
    """A deployment of this name exists in another location."""
    text = f"Invalid deployment location '{location}'. The deployment '{name}' already exists in location '{known}'."
    return ArmError(409, "InvalidDeploymentLocation", text)


def complete_mode_at_subscription(name: str) -> ArmError:
    """https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes; assumed: the words."""
    text = f"The deployment '{name}' at a subscription does not support the mode 'Complete'; expected 'Incremental'."
    return ArmError(400, "InvalidDeploymentMode", text)


def nested_complete_mode(name: str) -> ArmError:
    """https://learn.microsoft.com/azure/azure-resource-manager/templates/deployment-modes; assumed: the words."""
    text = f"The nested deployment '{name}' does not support the mode 'Complete'; expected 'Incremental'."
    return ArmError(400, "InvalidDeploymentMode", text)


def unreachable_link(link: Any) -> ArmError:
    """A template or its parameters at a URL that ARM cannot read, or in a template spec that does not exist.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-template; assumed: the words
    for a template spec.
    """
    parts = link if isinstance(link, dict) else {}
    if parts.get("id"):
        return ArmError(404, "TemplateSpecVersionNotFound", f"The template spec '{parts['id']}' could not be found.")
    place = parts.get("uri") or parts.get("relativePath") or ""
    text = (
        f"Unable to download deployment content from '{place}'. The tracking Id is '{uuid.uuid4()}'. Please see "
        "https://aka.ms/arm-deploy for usage details."
    )
    return ArmError(400, "InvalidContentLink", text)
