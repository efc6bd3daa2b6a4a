"""Errors of the Kubernetes client."""

from __future__ import annotations


class ClusterError(Exception):
    """A cluster could not be used. fixes are commands or sentences, in the order in which to try them."""

    def __init__(self, message: str, fixes: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.fixes = fixes


class KubeconfigUnusable(ClusterError):
    """The kubeconfig is missing, invalid, or lacks the context; the message names the file."""


class ClusterUnreachable(ClusterError):
    """The API server does not respond; the message names it."""


class NoInstanceTypes(ClusterError):
    """The cluster does not serve the kind InstanceType."""


class ClusterRefused(ClusterError):
    """The API server returned an error: status, reason, message and causes (message and field) are its own."""

    def __init__(self, status: int, reason: str, message: str, causes: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.causes = status, reason, message, causes


class UnexpectedResponse(ClusterRefused):
    """The response is not one of an API server, such as a web page of a proxy, or lacks what was requested."""
