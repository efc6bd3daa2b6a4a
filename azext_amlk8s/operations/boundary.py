"""The error boundary around every command: whatever is raised inside becomes one error of az, without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azext_amlk8s.change_log import forget_changes, recorded_changes
from azext_amlk8s.console.errors import az_error, azure_error, cluster_error, fix_lines, foreign_host_error
from azext_amlk8s.printable import printable, protect_output
from azext_amlk8s.registered_secrets import forget_secrets, hide_secrets
from azext_amlk8s.time_limit import TimeLimitExceeded, is_time_up, limit_in_words, set_time_limit

NAMES = ("name", "resource_group_name", "cluster_name", "workspace_name", "workspace_group", "compute_name")


def validate_names(arguments: Mapping[str, Any]) -> None:
    """Raise InvalidArgumentValueError for a name that would change the URL of a request.

    A full resource ID is left to the command, which splits it.
    """
    for key in NAMES:
        value = arguments.get(key)
        unsafe = "?#%\\" if str(value).lower().startswith("/subscriptions/") else "/?#%\\"
        if isinstance(value, str) and not (value.isprintable() and set(value).isdisjoint(unsafe)):
            option = "--" + key.removesuffix("_name").replace("_", "-")
            raise az_error(
                "InvalidArgumentValueError",
                f"Invalid value {ascii(value)} for {option}; expected a name without slashes and line breaks.",
            )


def without_secrets(result: Any) -> Any:
    """The result of a command, which may quote what a service has returned, without registered secrets."""
    if isinstance(result, str):
        return hide_secrets(result)
    if isinstance(result, Mapping):
        return {key: without_secrets(value) for key, value in result.items()}
    return [without_secrets(item) for item in result] if isinstance(result, (list, tuple)) else result


@contextmanager
def error_boundary(timeout: float | None = None) -> Iterator[None]:
    """Turn every exception of a command, Ctrl-C included, into one of az's error classes.

    az derives the exit code from the class: 3 for something that does not exist, 1 for the rest. timeout is the time
    limit of the whole command in seconds, None for none.
    """
    protect_output()
    forget_changes()
    forget_secrets()
    set_time_limit(timeout)
    try:
        yield
    except KeyboardInterrupt:
        raise _interrupted() from None
    except Exception as error:
        raise _redacted(as_az_error(error)) from (None if _has_secrets(error) else error)


def _has_secrets(error: BaseException | None) -> bool:
    """Whether an exception, or one that it was raised from, has a secret in its text, which --debug would print."""
    from azext_amlk8s.redaction import redact_text

    while error is not None:
        if redact_text(str(error)) != str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def as_az_error(error: Exception, done: str | None = None) -> Exception:
    """The az error for an exception; one of az's own is returned as it is.

    done is a sentence that says what was done before; by default it lists the writes of the whole command.
    """
    from azure.cli.core.azclierror import AzCLIError
    from azure.core.exceptions import AzureError
    from requests.exceptions import RequestException

    from azext_amlk8s.azure.auth_policy import ForeignHost
    from azext_amlk8s.azure.poll_schedule import LostTrack
    from azext_amlk8s.azure.sign_in import SignInFailed
    from azext_amlk8s.kubernetes import ClusterError

    done = _done_so_far() if done is None else done
    if isinstance(error, (AzCLIError, BrokenPipeError)) or type(error).__module__.startswith("knack."):
        return error
    if isinstance(error, TimeLimitExceeded) or (is_time_up() and _is_connection_problem(error)):
        return _timed_out()
    if isinstance(error, ClusterError):
        return cluster_error(error)
    if isinstance(error, SignInFailed):
        return az_error(
            "AzureConnectionError",
            " ".join(filter(None, [str(error), done])),
            ["Check the proxy, or sign in again with az login.", "Then run the same command again."],
        )
    if isinstance(error, ForeignHost):
        return foreign_host_error(error, done)
    if isinstance(error, (AzureError, RequestException, LostTrack)):
        return azure_error(error, done)
    kind = f"{type(error).__name__}: {' '.join(str(error).split())}".strip(" :")
    return az_error(
        "CLIInternalError",
        " ".join(filter(None, [f"Unexpected error: {kind}.", done])),
        ["Run the same command with --debug and report its output, which contains no secrets."],
    )


def error_texts(error: Exception) -> tuple[str, str]:
    """The message of an error of az, and its fixes, one per line; without secrets."""
    from azext_amlk8s.redaction import redact_text

    message = str(getattr(error, "error_msg", "") or error)
    return redact_text(message), redact_text("\n".join(getattr(error, "recommendations", None) or ()))


def _is_connection_problem(error: Exception) -> bool:
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    from azext_amlk8s.kubernetes import ClusterUnreachable

    return isinstance(error, (ServiceRequestError, ServiceResponseError, ClusterUnreachable))


def _timed_out() -> Exception:
    done = f"{_done_so_far()} What was started continues in Azure." if recorded_changes() else "Nothing was changed."
    return az_error(
        "DeploymentError",
        f"Stopped after {limit_in_words()}, the time limit of the command. {done}",
        ["Run the same command again; --timeout is its time limit in seconds."],
    )


def _interrupted() -> Exception:
    if not recorded_changes():
        return az_error("ManualInterrupt", "Interrupted; nothing was changed.")
    return az_error(
        "ManualInterrupt",
        f"Interrupted. {_done_so_far()}",
        ["What was started continues in Azure. Run the same command again to go on from there."],
    )


def _done_so_far() -> str:
    """A sentence with the writes that were sent, empty where there are none."""
    changes = recorded_changes()
    return f"Requested so far: {', '.join(changes)}." if changes else ""


def _redacted(error: Exception) -> Exception:
    """An az error without secrets, each command of its recommendations introduced by `Try:`."""
    from azure.cli.core.azclierror import AzCLIError

    from azext_amlk8s.redaction import redact_text

    if isinstance(error, AzCLIError):
        error.error_msg = printable(redact_text(str(error.error_msg)))
        error.args = (error.error_msg,)
        error.recommendations = [
            printable(redact_text(line)) for fix in dict.fromkeys(error.recommendations) for line in fix_lines(fix)
        ]
    return error
