"""Findings and failures in az's own form: one error, with all that is to be said and what to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from azext_amlk8s.rules import Finding, Report, Severity

if TYPE_CHECKING:
    from azext_amlk8s.diagnosis import Coded, Explanation
    from azext_amlk8s.operations.failure_context import Scene

MOST_SUBJECTS = 4


def end_with(cmd: Any, code: int) -> None:
    """Have az end in this exit code after it has printed the result of the command, in whatever format."""
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def leave(_context: Any, **_: Any) -> None:
        raise SystemExit(code)

    cmd.cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, leave)


def refuse_on_errors(*groups: Iterable[Finding], strict: bool = False) -> None:
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


def tell(findings: Iterable[Finding]) -> None:
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


def failure(
    what: str, error: Any, more: Iterable[str], recommendation: list[str], scene: Scene | None = None
) -> Exception:
    """A DeploymentError for an operation that ended in Failed: what was said, what it means and what to do.

    error is azure-core's HttpResponseError; more are further lines that speak of the failure. With a scene the cluster
    is looked at too, and the commands are filled in.
    """
    coded, said = _said(error)
    # The status of an extension repeats the operation's message under a code of its own.
    said += [line for line in more if not any(line.partition(") ")[2] in one for one in said)]
    return failure_told(f"{what} failed.", coded, said, recommendation, scene, _correlation(error))


def failure_told(
    head: str,
    coded: tuple[Coded, ...],
    said: list[str],
    recommendation: list[str],
    scene: Scene | None = None,
    ids: Iterable[str] = (),
) -> Exception:
    """The same for a failure of which coded messages and lines are at hand; ids are lines that name the requests."""
    from azure.cli.core.azclierror import DeploymentError

    from azext_amlk8s.diagnosis import explain_failure
    from azext_amlk8s.operations.failure_context import NOTHING, look

    seen = look(scene) if scene else NOTHING
    causes = _causes(explain_failure(coded, seen.reports, seen.troubles, "\n".join(said)))
    lines = [*said, *_told(causes, said), *([seen.note] if seen.note else []), *ids]
    return DeploymentError(_listed(head, lines), recommendation=_to_do(causes, recommendation, scene))


def refusal(error: Any) -> Exception | None:
    """An error of az's own for a request that Azure refused and whose cause is known; None leaves it to az."""
    from azure.cli.core.util import get_error_type_by_azure_error

    from azext_amlk8s.diagnosis import explain_failure

    coded, said = _said(error)
    causes = [one for one in _causes(explain_failure(coded, text="\n".join(said))) if not one.wrapper]
    if not causes:
        return None
    lines = [*said, *_told(causes, said), *_correlation(error)]
    kind = get_error_type_by_azure_error(error)
    return kind(_listed("Azure refused.", lines), recommendation=_to_do(causes, [], None))


def _said(error: Any) -> tuple[tuple[Coded, ...], list[str]]:
    """What an HttpResponseError says, as coded messages, deepest first, and as lines."""
    from azext_amlk8s import diagnosis

    coded = diagnosis.unfold(_body(error)) or diagnosis.of_text(str(error.message))
    return coded, coded_lines(coded) or [" ".join(str(error.message).split())]


def coded_lines(coded: Iterable[Coded]) -> list[str]:
    """Coded messages as lines, in their order."""
    return [f"({one.code}) {one.message}" if one.code else one.message for one in coded]


def _causes(found: Iterable[Explanation]) -> list[Explanation]:
    """What is known of it: the causes, or what wraps them where no cause is known."""
    known = [one for one in found if one.known]
    return [one for one in known if not one.wrapper] or known


def _told(causes: Iterable[Explanation], said: Iterable[str]) -> list[str]:
    """A line for each failure, with all that it befalls and the first of what was seen, if it was not said before."""
    from azext_amlk8s.redaction import redact_text

    befallen: dict[tuple[str, str], list[Explanation]] = {}
    for one in causes:
        title, text = f"{one.code} {one.name}".strip(), f"{one.meaning} {one.cause}"
        befallen.setdefault((title, text), []).append(one)
    before, lines = "\n".join(said), []
    for (title, text), group in befallen.items():
        named = list(dict.fromkeys(str(one.parts["subject"]) for one in group if one.parts.get("subject")))
        more = f" and {len(named) - MOST_SUBJECTS} more" if len(named) > MOST_SUBJECTS else ""
        where = f" [{', '.join(named[:MOST_SUBJECTS])}{more}]" if named else ""
        seen = redact_text(str(group[0].parts.get("message") or ""))
        lines.append(f"{title}{where}: {text}" + (f" Seen: {seen}" if seen and seen not in before else ""))
    return lines


def _to_do(causes: Iterable[Explanation], recommendation: list[str], scene: Scene | None) -> list[str]:
    fixes = [scene.filled_in(fix) if scene else fix for one in causes for fix in one.fix]
    return list(dict.fromkeys([*fixes, *recommendation]))


def _listed(head: str, lines: Iterable[str]) -> str:
    return "\n".join([head, *(f"  {line}" for line in lines)])


def _correlation(error: Any) -> list[str]:
    headers = error.response.headers if error.response is not None else {}
    names = {"Request ID": "x-ms-request-id", "Correlation ID": "x-ms-correlation-request-id"}
    return [f"{word}: {headers[name]}" for word, name in names.items() if headers.get(name)]


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
