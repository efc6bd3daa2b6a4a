"""Pipelines that plan on pull requests, apply on main and look for drift: GitHub Actions and Azure Pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from azext_amlk8s.rendering.arm_and_bicep import Source
from azext_amlk8s.rendering.bicep import environment_name
from azext_amlk8s.rendering.inputs import ENV, FILE, KEY_VAULT, SecretReference
from azext_amlk8s.rendering.yaml_text import dump
from azext_amlk8s.shell import quote

WORKFLOW, PIPELINE = ".github/workflows/azureml.yml", "azure-pipelines.yml"
IMAGE = "ubuntu-latest"
DAILY = "17 5 * * *"
MINUTES_TO_PLAN, MINUTES_TO_APPLY = 60, 350
INSTALL = "az extension add --yes --source amlk8s-*.whl"
WHEEL_NOTE = "The wheel of the extension amlk8s is in the root of the repository."
SIGN_IN = ("client-id", "tenant-id", "subscription-id")


@dataclass(frozen=True)
class PipelineSecret:
    """A secret of a pipeline: the name of its variable, and the file that it is written to, if any."""

    variable: str
    path: str = ""


def pipeline_secrets(secrets: Sequence[SecretReference]) -> list[PipelineSecret]:
    """The secrets that a pipeline passes on; those of a key vault are read by az itself."""
    found: dict[str, PipelineSecret] = {}
    for secret in secrets:
        if secret.kind == ENV:
            found.setdefault(secret.source, PipelineSecret(secret.source))
        elif secret.kind == FILE:
            name = environment_name(secret.parameter)
            found.setdefault(name, PipelineSecret(name, secret.source))
    return list(found.values())


def render_github_actions(secrets: Sequence[SecretReference], source: Source) -> dict[str, str]:
    """A workflow for GitHub Actions that signs in with OpenID Connect.

    https://learn.microsoft.com/azure/developer/github/connect-from-azure-openid-connect
    """
    passed = pipeline_secrets(secrets)
    header = list(_notes(source, secrets, passed, "Settings > Environments"))
    header += [
        "The identity needs federated credentials for pull requests, the branch main and the environment azureml.",
        "It is named by the secrets AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_SUBSCRIPTION_ID.",
        WHEEL_NOTE,
    ]
    paths = [*_trigger_paths(source), WORKFLOW]
    workflow = {
        "name": "azureml",
        "on": {
            "pull_request": {"paths": paths},
            "push": {"branches": ["main"], "paths": paths},
            "schedule": [{"cron": DAILY}],
            "workflow_dispatch": {},
        },
        "permissions": {"contents": "read", "id-token": "write"},
        # Two runs would change the same clusters.
        "concurrency": {"group": "azureml-${{ github.event_name == 'pull_request' && github.ref || 'apply' }}"},
        "jobs": {"plan": _github_plan(source, passed), "apply": _github_apply(source, passed)},
    }
    return {WORKFLOW: _with_header(workflow, header)}


def render_azure_pipelines(secrets: Sequence[SecretReference], source: Source) -> dict[str, str]:
    """A pipeline for Azure DevOps whose service connection uses workload identity federation.

    https://learn.microsoft.com/azure/devops/pipelines/library/connect-to-azure
    """
    passed = pipeline_secrets(secrets)
    header = list(_notes(source, secrets, passed, "Pipelines > Library"))
    header += [
        "The service connection azureml uses workload identity federation.",
        "Approvals are set on the environment azureml.",
        WHEEL_NOTE,
        "Pull requests in Azure Repos need a build validation policy that runs this pipeline.",
    ]
    paths = [*_trigger_paths(source), PIPELINE]
    pipeline = {
        "trigger": {"batch": True, "branches": {"include": ["main"]}, "paths": {"include": paths}},
        "pr": {"branches": {"include": ["main"]}, "paths": {"include": paths}},
        "schedules": [
            {"cron": DAILY, "displayName": "Drift", "branches": {"include": ["main"]}, "always": True},
        ],
        "pool": {"vmImage": IMAGE},
        **({"variables": [{"group": "azureml"}]} if passed else {}),
        "stages": [_azure_plan(source, passed), _azure_apply(source, passed)],
    }
    return {PIPELINE: _with_header(pipeline, header)}


def _notes(
    source: Source, secrets: Sequence[SecretReference], passed: Sequence[PipelineSecret], place: str
) -> Iterator[str]:
    yield source.note
    if passed:
        yield f"Secrets ({place}, azureml): {', '.join(variable_secret.variable for variable_secret in passed)}."
    if any(secret.kind == KEY_VAULT for secret in secrets):
        yield "The identity needs the role Key Vault Secrets User on the key vaults that the setup file names."


def _with_header(content: Mapping[str, Any], header: Sequence[str]) -> str:
    """The text of a file, with an empty line between the keys of its top level."""
    blocks = [dump({key: value}) for key, value in content.items()]
    comment = "".join(f"# {line}\n" for line in header)
    # PyYAML quotes the key on, since YAML 1.1 reads it as a truth value. GitHub reads YAML 1.2.
    return comment + "\n" + "\n".join(block.replace("'on':", "on:", 1) for block in blocks)


def _trigger_paths(source: Source) -> list[str]:
    """The setup files, folders with everything in them."""
    return [path if PurePosixPath(path).suffix else f"{path.rstrip('/')}/**" for path in source.files if path != "-"]


def _files(source: Source) -> str:
    return " ".join(quote(path) for path in source.files)


def _plan_script(source: Source, is_scheduled: str) -> list[str]:
    """The commands that plan; is_scheduled is the test for a run that only looks for drift."""
    return [
        "code=0",
        f"az amlk8s plan --file {_files(source)} --detailed-exitcode --output table > plan.txt || code=$?",
        "cat plan.txt",
        "# 4 means that something would change: expected in a pull request, drift in a scheduled run.",
        f'if [ "$code" = 4 ] && ! {is_scheduled}; then code=0; fi',
    ]


def _apply_command(source: Source) -> str:
    return f"az amlk8s apply --file {_files(source)} --yes --report report.xml"


def _write_files(passed: Sequence[PipelineSecret]) -> list[str]:
    """Commands that write secrets to the files that the setup names, readable for their owner only."""
    lines = []
    for secret in passed:
        if secret.path:
            folder = str(PurePosixPath(secret.path).parent)
            lines += [f"mkdir -p {quote(folder)}"] if folder != "." else []
            lines.append(f"install -m 600 /dev/null {quote(secret.path)}")
            lines.append(f"printf '%s\\n' \"${secret.variable}\" > {quote(secret.path)}")
    return ["umask 077", *dict.fromkeys(lines)] if lines else []


def _github_steps(passed: Sequence[PipelineSecret]) -> Iterator[dict[str, Any]]:
    """The steps before every command of the extension."""
    yield {"uses": "actions/checkout@v4", "with": {"persist-credentials": False}}
    names = {name: f"${{{{ secrets.AZURE_{name.upper().replace('-', '_')} }}}}" for name in SIGN_IN}
    yield {"name": "Sign in to Azure", "uses": "azure/login@v2", "with": names}
    yield {"name": "Install the extension", "run": INSTALL}
    if lines := _write_files(passed):
        secrets = {secret.variable: f"${{{{ secrets.{secret.variable} }}}}" for secret in passed if secret.path}
        yield {"name": "Write secrets to files", "env": secrets, "run": "\n".join(lines) + "\n"}


def _github_job(
    condition: str, minutes: int, passed: Sequence[PipelineSecret], steps: Sequence[Mapping[str, Any]], **more: Any
) -> dict[str, Any]:
    variables = {secret.variable: f"${{{{ secrets.{secret.variable} }}}}" for secret in passed if not secret.path}
    own = [_with_variables(step, variables) for step in steps]
    return {
        "if": condition,
        "runs-on": IMAGE,
        "timeout-minutes": minutes,
        **more,
        "steps": [*_github_steps(passed), *own],
    }


def _with_variables(step: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """A step that runs the extension, with the secrets that it reads."""
    if not variables or "az amlk8s" not in step.get("run", ""):
        return dict(step)
    return {"name": step["name"], "env": dict(variables), **step}


def _github_plan(source: Source, passed: Sequence[PipelineSecret]) -> dict[str, Any]:
    summary = "{ echo '```'; cat plan.txt; echo '```'; } >> \"$GITHUB_STEP_SUMMARY\""
    script = [*_plan_script(source, '[ "$GITHUB_EVENT_NAME" = schedule ]'), summary, 'exit "$code"', ""]
    # A pull request from a fork gets no token to sign in with.
    condition = "github.event_name != 'push' && !github.event.pull_request.head.repo.fork"
    return _github_job(condition, MINUTES_TO_PLAN, passed, [{"name": "Plan", "run": "\n".join(script)}])


def _github_apply(source: Source, passed: Sequence[PipelineSecret]) -> dict[str, Any]:
    condition = "github.ref == 'refs/heads/main' && contains('push workflow_dispatch', github.event_name)"
    report = {
        "name": "Keep the report",
        "if": "always()",
        "uses": "actions/upload-artifact@v4",
        "with": {"name": "amlk8s-report", "path": "report.xml", "if-no-files-found": "ignore"},
    }
    steps: list[dict[str, Any]] = [{"name": "Apply", "run": _apply_command(source)}, report]
    return _github_job(condition, MINUTES_TO_APPLY, passed, steps, environment="azureml")


def _azure_cli(name: str, lines: Sequence[str], passed: Sequence[PipelineSecret]) -> dict[str, Any]:
    """A task that signs in and runs commands. Secret variables reach a script only where they are named."""
    script = ["set -eu", INSTALL, *_write_files(passed), *lines, ""]
    variables = {secret.variable: f"$({secret.variable})" for secret in passed}
    return {
        "task": "AzureCLI@2",
        "displayName": name,
        "inputs": {
            "azureSubscription": "azureml",
            "scriptType": "bash",
            "scriptLocation": "inlineScript",
            "inlineScript": "\n".join(script),
        },
        **({"env": variables} if variables else {}),
    }


def _azure_plan(source: Source, passed: Sequence[PipelineSecret]) -> dict[str, Any]:
    script = [*_plan_script(source, '[ "$BUILD_REASON" = Schedule ]'), 'exit "$code"']
    job = {
        "job": "plan",
        "timeoutInMinutes": MINUTES_TO_PLAN,
        "steps": [{"checkout": "self", "persistCredentials": False}, _azure_cli("Plan", script, passed)],
    }
    return {"stage": "plan", "displayName": "Plan", "jobs": [job]}


def _azure_apply(source: Source, passed: Sequence[PipelineSecret]) -> dict[str, Any]:
    report = {
        "task": "PublishTestResults@2",
        "displayName": "Keep the report",
        "condition": "succeededOrFailed()",
        "inputs": {"testResultsFormat": "JUnit", "testResultsFiles": "report.xml", "testRunTitle": "az amlk8s apply"},
    }
    steps = [{"checkout": "self"}, _azure_cli("Apply", [_apply_command(source)], passed), report]
    job = {
        "deployment": "apply",
        "timeoutInMinutes": MINUTES_TO_APPLY,
        "environment": "azureml",
        "strategy": {"runOnce": {"deploy": {"steps": steps}}},
    }
    main = "eq(variables['Build.SourceBranch'], 'refs/heads/main')"
    reasons = "not(in(variables['Build.Reason'], 'PullRequest', 'Schedule'))"
    condition = f"and(succeeded(), {main}, {reasons})"
    return {"stage": "apply", "displayName": "Apply", "dependsOn": "plan", "condition": condition, "jobs": [job]}
