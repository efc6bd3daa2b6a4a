"""Rules about limits of Azure that only many clusters reach, or a cluster that is offline for long."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from azext_amlk8s.knowledge import load
from azext_amlk8s.rules import Problem, Problems, Severity, rule

LIMITS = load("limits")
# A part of a limit that is worth a look at what is used already.
NOTABLE_SHARE = 0.1


@rule(
    "D131",
    Severity.WARNING,
    title="Limits of a subscription",
    requires="The clusters of a file must not need more of a subscription than it can have.",
    source=LIMITS["endpoints"]["source"],
    why="Azure rejects what exceeds a limit, after the first clusters have been set up.",
)
def limits_of_subscription(subscription: str, endpoints: Mapping[str, int], roles: int) -> Problems:
    """endpoints are the numbers of clusters with inference by region of their workspaces; roles are new assignments."""
    most = LIMITS["endpoints"]["per_region"]
    for region, clusters in endpoints.items():
        if clusters > most:
            message = (
                f"{clusters} clusters with inference use workspaces in {region}. A subscription can have {most} online "
                "endpoints in a region, so that not each cluster can have one."
            )
            fix = "Use workspaces in several regions or subscriptions, or request a higher limit from Azure support."
            yield Problem(region, message, f"at most {most}", str(clusters), fix)
    most = LIMITS["role_assignments"]["per_subscription"]
    if roles > most * NOTABLE_SHARE:
        message = f"{roles} role assignments are created in subscription '{subscription}', which can have {most}."
        fix = f"az role assignment list --all --subscription {subscription} --query 'length(@)'"
        yield Problem(subscription, message, f"at most {most}", str(roles), fix)


@rule(
    "D132",
    Severity.WARNING,
    title="Protected settings of an offline cluster",
    requires="A cluster must come online before Azure deletes the protected settings that wait for it.",
    source=LIMITS["protected_settings"]["source"],
    why="The extension fails afterwards, and has to be created again.",
)
def settings_of_offline_cluster(cluster: str, connectivity: str, state: str, protected: Collection[str]) -> Problems:
    """state is that of an extension; connectivity is Offline or Expired, empty for a cluster that is connected."""
    if connectivity and state.lower() in ("creating", "updating") and protected:
        hours = LIMITS["protected_settings"]["hours"]
        message = (
            f"Cluster '{cluster}' is {connectivity} while its extension is {state}. Azure keeps protected settings for "
            f"{hours} hours."
        )
        fix = (
            f"Bring the cluster online within {hours} hours; otherwise the extension fails and is to be created again."
        )
        yield Problem(cluster, message, "Connected", connectivity, fix)
