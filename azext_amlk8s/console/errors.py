"""Findings and failures in az's own form: one error, with all that is to be said and what to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from azext_amlk8s.rules import Finding, Report, Severity

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.diagnosis import CodedMessage, Explanation

MOST_SUBJECTS = 4


def set_exit_code(cmd: Any, code: int) -> None:
    """Have az end in this exit code after it has printed the result of the command, in whatever format."""
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def leave(_context: Any, **_: Any) -> None:
        raise SystemExit(code)

    cmd.cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, leave)


def raise_for_errors(*groups: Iterable[Finding], strict: bool = False) -> None:
    """Log the warnings; raise one ValidationError with every error. Each comes with its fix.

    With strict a warning is an error.
    """
    from azure.cli.core.azclierror import ValidationError
    from knack.log import get_logger

    report = Report.of(*groups)
    if strict:
        report = report.strict()
    for finding in report.warnings:
        fix = "".join(f"\n  {line}" for line in finding.fix.splitlines())
        get_logger(__name__).warning("%s [%s]%s", finding.message, finding.id, fix)
    if report.errors:
        told = [f"{finding.message} [{finding.id}]" for finding in report.errors]
        text = told[0] if len(told) == 1 else f"{len(told)} things are wrong:\n" + "\n".join(f"  {one}" for one in told)
        raise ValidationError(
            text, recommendation=list(dict.fromkeys(one.fix for one in report.errors if one.fix)) or None
        )


def log_findings(findings: Iterable[Finding]) -> None:
    """Every finding on stderr, the remarks too, with what to do beneath it, for commands that return other things."""
    from knack.log import get_logger

    log = get_logger(__name__)
    for one in findings:
        fix = "".join(f"\n    {line}" for line in one.fix.splitlines())
        (log.error if one.severity is Severity.ERROR else log.warning)("%s [%s]%s", one.message, one.id, fix)


def finding_object(finding: Finding) -> dict[str, str]:
    """A finding as a command returns it."""
    return {key: getattr(value, "value", value) for key, value in vars(finding).items() if key != "related"}


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
    """No network is said in one sentence, a refusal with what is known of it; all else is left to az."""
    from azure.cli.core.azclierror import AzureConnectionError
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError
    from requests.exceptions import ConnectionError as NoConnection

    try:
        yield
    except (ServiceRequestError, ServiceResponseError, NoConnection) as error:
        raise AzureConnectionError(
            f"Azure cannot be reached: {_innermost(error)}.",
            recommendation="Check the network and the proxy settings, then try again.",
        ) from error
    except HttpResponseError as error:
        if (explained := refusal(error)) is None:
            raise
        raise explained from error


def refusal(error: Any) -> Exception | None:
    """An error of az's own for a request that Azure refused and whose cause is known; None leaves it to az."""
    from azure.cli.core.util import get_error_type_by_azure_error

    from azext_amlk8s.diagnosis import explain_failure

    coded, lines = error_messages(error)
    causes = [cause for cause in causes_of(explain_failure(coded, text="\n".join(lines))) if not cause.wrapper]
    if not causes:
        return None
    text = indent_lines("Azure refused.", [*lines, *cause_lines(causes, lines), *request_ids(error)])
    kind: type[Exception] = get_error_type_by_azure_error(error)
    return kind(text, recommendation=fixes_of(causes))  # type: ignore[call-arg]


def error_messages(error: HttpResponseError) -> tuple[tuple[CodedMessage, ...], list[str]]:
    """The messages of an ARM error: coded ones, deepest first, and all as lines."""
    from azext_amlk8s import diagnosis

    coded = diagnosis.unfold_error(_body(error)) or diagnosis.errors_in_text(str(error.message))
    return coded, coded_lines(coded) or [" ".join(str(error.message).split())]


def coded_lines(coded: Iterable[CodedMessage]) -> list[str]:
    """Coded messages as lines, in their order."""
    return [f"({message.code}) {message.message}" if message.code else message.message for message in coded]


def causes_of(explanations: Iterable[Explanation]) -> list[Explanation]:
    """The known explanations that are causes, or the wrapping ones where no cause is known."""
    known = [explanation for explanation in explanations if explanation.known]
    return [explanation for explanation in known if not explanation.wrapper] or known


def cause_lines(causes: Iterable[Explanation], lines: Iterable[str]) -> list[str]:
    """A line for each cause with all its subjects, and the first message about it unless lines contain it."""
    from azext_amlk8s.redaction import redact_text

    groups: dict[tuple[str, str], list[Explanation]] = {}
    for cause in causes:
        title, text = f"{cause.code} {cause.name}".strip(), f"{cause.meaning} {cause.cause}"
        groups.setdefault((title, text), []).append(cause)
    raw, result = "\n".join(lines), []
    for (title, text), group in groups.items():
        subjects = list(dict.fromkeys(str(cause.parts["subject"]) for cause in group if cause.parts.get("subject")))
        others = f" and {len(subjects) - MOST_SUBJECTS} more" if len(subjects) > MOST_SUBJECTS else ""
        where = f" [{', '.join(subjects[:MOST_SUBJECTS])}{others}]" if subjects else ""
        message = redact_text(str(group[0].parts.get("message") or ""))
        result.append(f"{title}{where}: {text}" + (f" Seen: {message}" if message and message not in raw else ""))
    return result


def fixes_of(causes: Iterable[Explanation]) -> list[str]:
    """The fixes of causes, each once."""
    return list(dict.fromkeys(fix for cause in causes for fix in cause.fix))


def indent_lines(head: str, lines: Iterable[str]) -> str:
    """A sentence with lines below it, indented."""
    return "\n".join([head, *(f"  {line}" for line in lines)])


def request_ids(error: HttpResponseError) -> list[str]:
    """Lines with the IDs of a request, which support asks for."""
    headers = response_headers(error)
    names = {"Request ID": "x-ms-request-id", "Correlation ID": "x-ms-correlation-request-id"}
    return [f"{title}: {headers[name]}" for title, name in names.items() if headers.get(name)]


def response_headers(error: HttpResponseError) -> Mapping[str, str]:
    """The headers of the response, empty where there is none."""
    headers: Mapping[str, str] = getattr(error.response, "headers", None) or {}
    return headers


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
    return body if isinstance(body, Mapping) else {}


def _innermost(error: BaseException) -> str:
    """The words of what is wrapped deepest, after those of a wrapper that has words of its own."""
    deeper = getattr(error, "inner_exception", None) or getattr(error, "reason", None)
    if isinstance(deeper, BaseException):
        return _innermost(deeper)
    for one in error.args:
        if isinstance(one, BaseException):
            words = error.args[0] if isinstance(error.args[0], str) else ""
            return f"{words.rstrip('.')}: {_innermost(one)}" if words else _innermost(one)
    return " ".join(str(error).split()).rstrip(".")
