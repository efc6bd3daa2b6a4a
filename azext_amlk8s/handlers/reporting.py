"""Findings and failures in az's own form: one error, with all that is to be said and what to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from azext_amlk8s.findings import Finding, Report


def end_with(cmd: Any, code: int) -> None:
    """Have az end in this exit code after it has printed the result of the command, in whatever format."""
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def leave(_context: Any, **_: Any) -> None:
        raise SystemExit(code)

    cmd.cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, leave)


def refuse_on_errors(*groups: Iterable[Finding], strict: bool = False) -> None:
    """Log the warnings; raise one ValidationError with every error and its fix. With strict a warning is an error."""
    from azure.cli.core.azclierror import ValidationError
    from knack.log import get_logger

    report = Report.of(*groups)
    if strict:
        report = report.strict()
    for finding in report.warnings:
        get_logger(__name__).warning("%s [%s]", finding.message, finding.id)
    if report.errors:
        told = [f"{finding.message} [{finding.id}]" for finding in report.errors]
        text = told[0] if len(told) == 1 else f"{len(told)} things are wrong:\n" + "\n".join(f"  {one}" for one in told)
        raise ValidationError(
            text, recommendation=list(dict.fromkeys(one.fix for one in report.errors if one.fix)) or None
        )


def confirm(cmd: Any, question: str, yes: bool) -> None:
    """Ask before what hurts. Raises ManualInterrupt for a no; without a terminal --yes is required."""
    from azure.cli.core.azclierror import ManualInterrupt, RequiredArgumentMissingError
    from knack.prompting import NoTTYException, prompt_y_n

    if yes or cmd.cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False):
        return
    try:
        agreed = prompt_y_n(f"{question}\nGo on?")
    except NoTTYException:
        raise RequiredArgumentMissingError(
            f"{question}\nThere is no terminal to ask at.", recommendation="--yes"
        ) from None
    if not agreed:
        raise ManualInterrupt("Nothing was changed.")


@contextmanager
def azure_errors() -> Iterator[None]:
    """No network is said in one sentence; all else is left to az, which translates it by status."""
    from azure.cli.core.azclierror import AzureConnectionError
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError
    from requests.exceptions import ConnectionError as NoConnection

    try:
        yield
    except (ServiceRequestError, ServiceResponseError, NoConnection) as error:
        raise AzureConnectionError(
            f"Azure cannot be reached: {_innermost(error)}.",
            recommendation="Check the network and the proxy settings, then try again.",
        ) from error


def deepest(error: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The coded messages of an ARM error, the deepest first (field guide compute 2.3)."""
    inner: list[Any] = [*(error.get("details") or []), error.get("innererror") or error.get("innerError")]
    found = [pair for one in inner if isinstance(one, Mapping) for pair in deepest(one)]
    wrapped = error.get("error")
    if isinstance(wrapped, Mapping):
        found += deepest(wrapped)
    own = (str(error.get("code") or ""), " ".join(str(error.get("message") or "").split()))
    return [*found, own] if any(own) and own not in found else found


def failure(what: str, error: Any, more: Iterable[str], recommendation: list[str]) -> Exception:
    """A DeploymentError for an operation that ended in Failed; error is azure-core's HttpResponseError."""
    from azure.cli.core.azclierror import DeploymentError

    pairs = deepest(_body(error)) or [("", " ".join(str(error.message).split()))]
    lines = [f"({code}) {message}" if code else message for code, message in pairs]
    lines += [line for line in more if not any(line in one for one in lines)]
    identity = error.response.headers.get("x-ms-correlation-request-id") if error.response is not None else None
    lines += [f"Correlation ID: {identity}"] if identity else []
    return DeploymentError(
        f"{what} failed.\n" + "\n".join(f"  {line}" for line in lines), recommendation=recommendation
    )


def is_about(error: Any, word: str) -> bool:
    """Whether an ARM error speaks of a thing by name."""
    return word.lower() in str(error.message or "").lower()


def code_of(error: Any) -> str:
    """The code of an ARM error, or nothing."""
    return str(getattr(error.error, "code", "") or "")


def _body(error: Any) -> Mapping[str, Any]:
    try:
        body = error.response.json()
    except (AttributeError, ValueError):
        return {}
    return body.get("error", body) if isinstance(body, Mapping) else {}


def _innermost(error: BaseException) -> str:
    reason = getattr(error, "inner_exception", None) or error
    while getattr(reason, "args", None) and isinstance(reason.args[0], BaseException):
        reason = reason.args[0]
    reason = getattr(reason, "reason", None) or reason
    return " ".join(str(reason).split()).rstrip(".")
