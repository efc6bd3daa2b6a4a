"""Findings and failures in az's form: one error with its causes first, each with its fix, and raw text last."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.cli.core.commands import AzCliCommand
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.diagnosis import CodedMessage, Explanation
    from azext_amlk8s.kubernetes import ClusterError
    from azext_amlk8s.rules import Finding

MOST_SUBJECTS = 4
_COMMAND = r"^(?:(?:az|kubectl|helm|oc|openssl|pip|export|curl|docker|git|python3?) \S|--?[a-z][\w-]* ?|\$env:)"
# Where findings go instead of stderr while they are collected.
_collected: ContextVar[list[Finding] | None] = ContextVar("collected", default=None)


def az_error(kind: str, message: str, fixes: Iterable[str] = ()) -> Exception:
    """An error of az by the name of its class in azure.cli.core.azclierror, which decides the exit code."""
    from azure.cli.core import azclierror

    error: Exception = getattr(azclierror, kind)(message, recommendation=list(fixes) or None)
    return error


def set_exit_code(cmd: AzCliCommand, code: int) -> None:
    """Have az exit with this code after it has printed the result of the command, in whatever format."""
    from knack.events import EVENT_CLI_SUCCESSFUL_EXECUTE

    def leave(_context: Any, **_: Any) -> None:
        raise SystemExit(code)

    cmd.cli_ctx.register_event(EVENT_CLI_SUCCESSFUL_EXECUTE, leave)


def raise_for_errors(*groups: Iterable[Finding], strict: bool = False) -> None:
    """Log the warnings; raise one ValidationError with all errors, each followed by its fix.

    With strict a warning is an error.
    """
    from azure.cli.core.azclierror import ValidationError

    from azext_amlk8s.rules import Report

    report = Report.of(*groups)
    if strict:
        report = report.strict()
    log_findings(report.warnings)
    if report.errors:
        _collect(report.errors)
        raise ValidationError(findings_text(report.errors))


def findings_text(findings: Iterable[Finding]) -> str:
    """Findings as the text of an error: one alone, or a numbered heading and a list."""
    texts = [_finding_text(finding) for finding in findings]
    if len(texts) == 1:
        return texts[0]
    listed = "\n".join(f"  {line}" for text in texts for line in text.splitlines())
    return f"{len(texts)} errors:\n\n{listed}\n"


@contextmanager
def collect_findings() -> Iterator[list[Finding]]:
    """Collect the findings that are logged or raised inside, in this thread, instead of printing them."""
    findings: list[Finding] = []
    token = _collected.set(findings)
    try:
        yield findings
    finally:
        _collected.reset(token)


def _collect(findings: Iterable[Finding]) -> bool:
    """Add findings to those that are being collected; False where none are."""
    collected = _collected.get()
    if collected is not None:
        collected += [finding for finding in findings if finding not in collected]
    return collected is not None


def log_findings(findings: Iterable[Finding]) -> None:
    """Print every finding to stderr with its fix beneath it, for commands whose result is something else."""
    from knack.log import get_logger

    from azext_amlk8s.redaction import redact_text
    from azext_amlk8s.rules import Severity

    findings = tuple(findings)
    if _collect(findings):
        return
    log = get_logger(__name__)
    for finding in findings:
        write = log.error if finding.severity is Severity.ERROR else log.warning
        write("%s", redact_text(_finding_text(finding)))


def fix_lines(fix: str) -> list[str]:
    """The lines of a fix: a command is introduced by `Try:`, a sentence is not."""
    return [f"Try: {line}" if re.match(_COMMAND, line) else line for line in fix.splitlines() if line.strip()]


def finding_object(finding: Finding) -> dict[str, str]:
    """A finding as a command returns it."""
    return {key: getattr(value, "value", value) for key, value in vars(finding).items() if key != "related"}


def confirm(cmd: AzCliCommand, question: str, yes: bool, refusal: str = "Nothing was changed") -> None:
    """Ask before a destructive request.

    question ends with a question mark; refusal is what to report otherwise, such as "Not deleted". Raises
    ManualInterrupt for a no, and RequiredArgumentMissingError without a terminal and without --yes.
    """
    from knack.prompting import prompt_y_n

    _ask(cmd, yes, lambda: prompt_y_n(question), refusal, refusal)


def confirm_name(cmd: AzCliCommand, question: str, name: str, yes: bool, refusal: str = "Nothing was changed") -> None:
    """Ask for the name of what is destroyed. Raises as confirm does; any other answer than the name is a no."""
    from knack.prompting import prompt

    def is_name() -> bool:
        return str(prompt(f"{question} Enter '{name}' to continue: ")).strip() == name

    _ask(cmd, yes, is_name, refusal, f"{refusal}: expected '{name}'")


def _ask(cmd: AzCliCommand, yes: bool, is_agreed: Callable[[], bool], refusal: str, disagreement: str) -> None:
    """Ask unless --yes or az's configuration answers. The end of the input is a no."""
    from azure.cli.core.azclierror import ManualInterrupt, RequiredArgumentMissingError
    from knack.prompting import NoTTYException

    if yes or cmd.cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False):
        return
    try:
        agreed = is_agreed()
    except NoTTYException:
        raise RequiredArgumentMissingError(f"{refusal}: confirmation is required. Use --yes.") from None
    except EOFError:
        agreed = False
    if not agreed:
        raise ManualInterrupt(f"{disagreement}.")


def azure_error(error: Exception, done: str = "") -> Exception:
    """The az error for a request that failed: no network, an invalid certificate, or a refusal with what it means.

    done is a sentence that says what was done before.
    """
    from azure.cli.core.util import get_error_type_by_azure_error
    from azure.core.exceptions import HttpResponseError

    from azext_amlk8s.azure.responses import UnexpectedResponse
    from azext_amlk8s.console.network import network_problem

    if not isinstance(error, HttpResponseError):
        message, fixes = network_problem(error, "Azure")
        return az_error("AzureConnectionError", " ".join(filter(None, [message, done])), fixes)
    is_unexpected = isinstance(error, UnexpectedResponse)
    kind = "AzureResponseError" if is_unexpected else str(get_error_type_by_azure_error(error).__name__)
    if explained := explain_refusal(error):
        text, fixes = explained
        return az_error(kind, "\n".join(filter(None, [text, done])), fixes)
    coded, lines = error_messages(error)
    text = str(getattr(error, "message", "") or error)
    text = indent_lines("Azure refused the request.", [*lines, *request_ids(error)]) if coded else text
    return az_error(kind, "\n".join(filter(None, [text, done])))


def cluster_error(error: ClusterError) -> Exception:
    """The az error for a kubeconfig that cannot be used, or a cluster that cannot be reached or refuses."""
    from azext_amlk8s.kubernetes import ClusterRefused, KubeconfigUnusable, UnexpectedResponse

    if isinstance(error, KubeconfigUnusable):
        return az_error("FileOperationError", str(error), error.fixes)
    if not isinstance(error, ClusterRefused):
        return az_error("AzureConnectionError", str(error), error.fixes)
    if isinstance(error, UnexpectedResponse):
        return az_error("AzureResponseError", str(error), error.fixes)
    kinds = {401: "UnauthorizedError", 403: "ForbiddenError"}
    fixes = {403: ["kubectl auth can-i --list"], 401: ["az login"]}
    message = f"The cluster refused the request ({error.status} {error.reason}): {error.message}"
    return az_error(kinds.get(error.status, "BadRequestError"), message, fixes.get(error.status, []))


def foreign_host_error(error: Exception, done: str) -> Exception:
    """The az error for a link or a redirect that leads out of the cloud."""
    running = "The operation may still be running in Azure." if done else ""
    return az_error(
        "AzureConnectionError",
        " ".join(filter(None, [str(error), done, running])),
        ["Check the proxy and DNS between this machine and Azure, then run the same command again."],
    )


def explain_refusal(error: HttpResponseError) -> tuple[str, list[str]] | None:
    """The text and the fixes for a request that Azure refused, None where the cause is unknown."""
    from azext_amlk8s.diagnosis import explain_failure

    coded, lines = error_messages(error)
    causes = [cause for cause in causes_of(explain_failure(coded, text="\n".join(lines))) if not cause.wrapper]
    if not causes:
        return None
    text = indent_lines("Azure refused the request.", [*cause_lines(causes, lines), *lines, *request_ids(error)])
    return text, fixes_of(causes)


def error_messages(error: HttpResponseError) -> tuple[tuple[CodedMessage, ...], list[str]]:
    """The messages of an ARM error: coded ones, deepest first, and all as lines."""
    from azext_amlk8s import diagnosis

    coded = diagnosis.unfold_error(_body(error)) or diagnosis.errors_in_text(str(error.message))
    return coded, coded_lines(coded) or [" ".join(str(error.message).split())]


def coded_lines(coded: Iterable[CodedMessage]) -> list[str]:
    """CodedMessage messages as lines, in their order."""
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
        result.append(f"{title}{where}: {text}" + (f" Message: {message}" if message and message not in raw else ""))
    return result


def fixes_of(causes: Iterable[Explanation]) -> list[str]:
    """The fixes of causes, each once; of many objects with one cause, those of the first."""
    groups: dict[tuple[str | None, str, str], Explanation] = {}
    for cause in causes:
        groups.setdefault((cause.code, cause.name, cause.cause), cause)
    return list(dict.fromkeys(fix for cause in groups.values() for fix in cause.fix))


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


def mentions(error: HttpResponseError, word: str) -> bool:
    """Whether the message of an ARM error contains a word, in any case."""
    return word.lower() in str(error.message or "").lower()


def code_of(error: HttpResponseError) -> str:
    """The code of an ARM error, empty where there is none."""
    return str(getattr(error.error, "code", "") or "")


def _finding_text(finding: Finding) -> str:
    fix = "".join(f"\n  {line}" for line in fix_lines(finding.fix))
    return f"{finding.message}  [{finding.id}]{fix}"


def _body(error: HttpResponseError) -> Mapping[str, Any]:
    try:
        body = error.response.json()  # type: ignore[union-attr]
    except (AttributeError, ValueError):
        return {}
    return body if isinstance(body, Mapping) else {}
