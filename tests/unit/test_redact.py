"""The one redactor: what it blanks, what it keeps, and that its time grows linearly."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_amlk8s.operations.boundary import without_secrets
from azext_amlk8s.redaction import (
    redact,
    redact_body,
    redact_headers,
    redact_text,
    redact_url,
    register_secrets,
)
from azext_amlk8s.registered_secrets import forget_secrets, register_secret
from azext_amlk8s.rules import Finding
from azext_amlk8s.settings import reading_rules, update_rules
from azext_amlk8s.settings.schema import Key
from azext_amlk8s.settings.update import Update

SECRET = "s3cret-V4lue"


@pytest.fixture(autouse=True)
def _nothing_registered() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


BLANKED: dict[str, Any] = {
    "protected settings": {"configurationProtectedSettings": {"anything": SECRET}},
    "protected settings in another case": {"properties": {"ConfigurationProtectedSettings": {"a": SECRET}}},
    "data of a Secret": {"kind": "Secret", "data": {"x": SECRET}},
    "stringData of a Secret": {"kind": "Secret", "stringData": {"x": SECRET}},
    "environment variable": {"env": [{"name": "A", "value": SECRET}]},
    "environment variable of an unexpected shape": {"env": [SECRET]},
    "last applied configuration": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": SECRET}},
    "kubeconfigs": {"kubeconfigs": [{"name": "clusterUser", "value": SECRET}]},
    "relay connection string": {"relayConnectionString": SECRET},
    "service bus connection string in a list": [{"properties": {"serviceBusConnectionString": SECRET}}],
    "keys of a relay rule": {"primaryConnectionString": SECRET, "primaryKey": SECRET, "secondaryKey": SECRET},
    "shared keys of a log workspace": {"primarySharedKey": SECRET, "secondarySharedKey": SECRET},
    "storage key in a config map": {"data": {"storage_account_key": SECRET}},
    "file of a private key": {"data": {"tls.key": SECRET}},
    "password": {"adminPassword": SECRET},
    "access token": {"accessToken": SECRET},
    "access_token": {"access_token": SECRET},
    "client secret": {"servicePrincipalProfile": {"clientSecret": SECRET}},
    "accountKey": {"accountKey": SECRET},
    "apiKey": {"apiKey": SECRET},
    "sslKey": {"scoringFe.sslKey": SECRET},
    "credential": {"credential": SECRET},
    "credentials as an object": {"credentials": {"any": [SECRET]}},
    "sharedAccessKey": {"sharedAccessKey": SECRET},
    "sasUrl": {"sasUrl": SECRET},
    "SAS token": {"blobSas": SECRET},
    "docker config": {".dockerconfigjson": SECRET},
    "client-key-data": {"client-key-data": SECRET},
    "instrumentation key": {"instrumentationKey": SECRET},
    "option and its value": ["--password", SECRET],
    "option with its value": [f"--sas-token={SECRET}"],
    "JSON inside a message": {"message": json.dumps({"error": {"primaryKey": SECRET}})},
}


@pytest.mark.parametrize("value", BLANKED.values(), ids=BLANKED)
def test_secret_is_blanked_in_json(value: Any) -> None:
    assert SECRET not in str(redact(value))
    shown = redact_body(json.dumps(value))
    assert SECRET not in shown and "***" in shown


BLANKED_TEXTS: dict[str, str] = {
    "assignment": f"password={SECRET}",
    "assignment in JSON": f'{{"clientSecret": "{SECRET}"}}',
    "assignment in truncated JSON": f'{{"primaryKey":"{SECRET}',
    "assignment in escaped JSON": f'"{{\\"primaryKey\\": \\"{SECRET}\\"}}"',
    "assignment in twice escaped JSON": f'\\\\\\"primaryKey\\\\\\": \\\\\\"{SECRET}\\\\\\"',
    "value with blanks and escaped quotes": f'"password": "a b \\" {SECRET}", "x": 1',
    "assignment in YAML": f"  token: {SECRET}",
    "block in YAML": f"sslKey: |\n  {SECRET}",
    "assignment behind another": f"a=password={SECRET}",
    "connection string": f"Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey={SECRET}",
    "account key": f"AccountName=a;AccountKey={SECRET};EndpointSuffix=x",
    "signature of a URL": f"https://x/?sv=1&sig={SECRET}&se=2",
    "signature of an operation's URL": f"https://a/b?t=1&c={SECRET}&s={SECRET}&h={SECRET}",
    "password in a URL": f"http://me:{SECRET}@proxy:3128/",
    "password in a URL without a user": f"redis://:{SECRET}@host/",
    "Authorization header": f"Authorization: Bearer {SECRET}",
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    "truncated private key": f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
    "private key in one JSON string": f'"-----BEGIN PRIVATE KEY-----\\n{SECRET}\\n-----END PRIVATE KEY-----"',
    "JSON web token": f"eyJhbGciOi.eyJzdWIiOi.{SECRET}",
    "option of a command line": f"az acr login --password {SECRET} -n x",
    "environment variable of a shell": f"export AZURE_CLIENT_SECRET={SECRET}",
    "numbered key": f"secret_2: {SECRET}",
    "kubeconfig": f"users:\n- user:\n    client-key-data: {SECRET}\n",
}


@pytest.mark.parametrize("text", BLANKED_TEXTS.values(), ids=BLANKED_TEXTS)
def test_secret_is_blanked_in_text(text: str) -> None:
    assert SECRET not in redact_text(text)
    assert redact_text(redact_text(text)) == redact_text(text)


KEPT: dict[str, Any] = {
    "name of a secret": {"sslSecret": "mine"},
    "option with the name of a secret": "az amlk8s extension certificate rotate --from-secret cert-manager/fe-tls",
    "node selector": {"nodeSelector": {"agentpool": "gpu"}},
    "key of a toleration": {"workLoadToleration[0].key": "gpu"},
    "settings": {"configurationSettings": {"enableTraining": "True"}, "keyless": 1},
    "message of the scheduler": {"message": "0/3 nodes are available: 3 Insufficient cpu."},
    "missing secret": {"message": 'secret "tls" not found'},
    "sentence with a colon": {"message": "failed to get token: context deadline exceeded"},
    "code that ends with token": {"message": "InvalidAuthenticationToken: The access token is invalid."},
    "code that contains token": {"message": "ACRTokenExchangeForbidden: forbidden"},
    "truth value": {"automountServiceAccountToken": False},
    "reference of a variable": {"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]},
    "reference to a secret": {"secretKeyRef": {"name": "a", "key": "b"}},
    "empty protected setting": {"configurationProtectedSettings": {"a": ""}},
    "image": {"image": "mcr.microsoft.com/azureml/amlarc/gateway:1.1.71"},
    "resource ID": {"id": "/subscriptions/33333333-dddd-4eee-8fff-444444444444/resourceGroups/g"},
    "number": {"replicas": 3},
    "option with a file": "--kubeconfig ~/.kube/config --context dev",
    "absent value": "password: null, token=None, secret=",
    "object below a name": '"secret": {"secretName": "tls"}',
}


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT)
def test_other_values_are_kept(value: Any) -> None:
    assert redact(value) == value


def test_keys_of_protected_settings_are_kept() -> None:
    body = {"configurationProtectedSettings": {"scoringFe.sslKey": SECRET, "scoringFe.sslCert": ""}}
    assert redact(body) == {"configurationProtectedSettings": {"scoringFe.sslKey": "***", "scoringFe.sslCert": ""}}


def test_headers_and_urls() -> None:
    headers = redact_headers(
        {
            "Authorization": SECRET,
            "Ocp-Apim-Subscription-Key": SECRET,
            "Azure-AsyncOperation": f"https://a/b?t=1&c={SECRET}&s=x&h=y",
            "Content-Type": "application/json",
        }
    )
    assert SECRET not in json.dumps(headers)
    assert headers["Content-Type"] == "application/json"
    assert redact_url("https://a/b?api-version=2024-01-01&c=MII") == "https://a/b?api-version=2024-01-01&c=***"


def test_body_that_is_not_json_is_not_shown() -> None:
    assert SECRET not in redact_body(f"kubeconfig: {SECRET}")
    assert redact_body(None) == redact_body("") == "none"


ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "inside base64": lambda value: base64.b64encode(f"a body with {value} in it".encode()).decode(),
    "inside URL-safe base64": lambda value: base64.urlsafe_b64encode(f"so {value} is".encode()).decode(),
    "percent-encoded": lambda value: value.replace("/", "%2F").replace("=", "%3D"),
    "percent-encoded in lower case": lambda value: value.replace("/", "%2f").replace("=", "%3d"),
    "percent-encoded twice": lambda value: value.replace("/", "%252F").replace("=", "%253D"),
    "hexadecimal": lambda value: value.encode().hex(),
    "in a JSON document as a text": lambda value: json.dumps(json.dumps({"x": value})),
    "quoted in JSON": lambda value: json.dumps({"x": value}),
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
def test_registered_secret_is_blanked_everywhere(encode: Callable[[str], str]) -> None:
    secret = "plain/words=only"
    assert redact_text(f"the server said {encode(secret)}.") == f"the server said {encode(secret)}."
    register_secret(secret)
    assert encode(secret).strip('{}"x: ') not in redact_text(f"the server said {encode(secret)}.")


def test_the_result_of_a_command_has_no_long_registered_secret() -> None:
    """A short one could be a part of a name, and nothing else than a secret is changed."""
    register_secret("s3cretValueOfTheRelay=")
    register_secret("contoso")
    result = {"id": "/resourceGroups/contoso", "count": 1, "notes": ("Invalid: s3cretValueOfTheRelay=", None)}
    assert without_secrets(result) == {"id": "/resourceGroups/contoso", "count": 1, "notes": ["Invalid: ***", None]}


def test_secrets_of_a_body_are_registered() -> None:
    kubeconfig = "users:\n- name: me\n  user:\n    token: abcdefghij0123456789\n" + "# padding\n" * 10
    register_secrets(
        {
            "properties": {"configurationProtectedSettings": {"sslCertPemFile": "certificate text"}},
            "kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(kubeconfig.encode()).decode()}],
            "location": "westeurope",
        }
    )
    assert redact_text("certificate text abcdefghij0123456789 westeurope clusterUser") == "*** *** westeurope ***"


@pytest.mark.parametrize("value", [None, 3, "", "True", "short", "default"])
def test_ordinary_words_are_not_registered(value: Any) -> None:
    register_secret(value)
    assert redact_text("True short default 3") == "True short default 3"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_value_is_redacted_once_and_for_all(value: Any) -> None:
    once = redact(value)
    assert redact(once) == once


PIECES = st.sampled_from(["password", "=", ": ", '"', "\\", "'", "\n", "Bearer ", "://", "@", "eyJ", "--token ", " "])


@given(st.lists(PIECES | st.text(max_size=4)).map("".join))
def test_any_text_is_redacted_once_and_for_all(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


def test_deep_values_are_cut() -> None:
    value: Any = SECRET
    for _ in range(5000):
        value = [value]
    assert SECRET not in str(redact(value))


REPEATED = [
    "a", "0f", "A1+/", " ", "=", ":", "\\", '"', "password", "password=", 'password="', "password: \\\"", "token: a ",
    "--token a", "eyJ", "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "://", "://a:b", "Bearer ",
    "LS0tLS1CRUdJTi", "shared", "key", "?sig=", "secret: |\n", "sas", "a.b-", "x=1 ",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_time_grows_linearly(piece: str) -> None:
    """Eight times the text takes about eight times as long; quadratic code would take 64 times as long."""

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        best = 9.9
        for _ in range(3):
            start = time.thread_time()
            redact_text(text)
            best = min(best, time.thread_time() - start)
        return best

    small, large = seconds(16_000), seconds(128_000)
    assert large < 0.3 or large < small * 24


PROSE = {
    "the connection string is Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=PLACE123456;EntityPath=q": "PLACE123456",
    "connection string of the relay arc was 'PLACE words'": "PLACE words",
    "invalid connection string 'Endpoint=sb://x/;Key=PLACE'": "PLACE",
    "The connection string: PLACE81secret": "PLACE81secret",
    "relayServerConnectionString is PLACE81secret": "PLACE81secret",
    "password was PLACE81secret, which is wrong": "PLACE81secret",
    "the primary key is PLACE81secretsecret==": "PLACE81secretsecret",
}


@pytest.mark.parametrize("text", PROSE)
def test_secret_in_a_sentence_is_blanked(text: str) -> None:
    assert PROSE[text] not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "the connection string is invalid",
        "connection string is missing in the settings",
        "The password is required.",
        "relayServerConnectionString: a custom relay also needs a name",
    ],
)
def test_sentence_about_a_secret_is_kept(text: str) -> None:
    assert redact_text(text) == text


def findings_about(name: str) -> list[Finding]:
    """Findings about a setting of this name, whose value is a secret."""
    key = Key(name, "protected", secret=True, expected="a key")
    option, section = "--config-protected", "protected"
    return [
        *reading_rules.unknown_setting(name, "", option, "config"),
        *reading_rules.unknown_setting_passed_on(name, "", option, "config"),
        *reading_rules.invalid_value(key, name, "", option, section),
        *reading_rules.given_in_both_sections(name),
        *reading_rules.removed_setting(name, "It has no effect."),
        *reading_rules.secret_in_plain_settings(name),
        *reading_rules.repeated_setting(name, "", section),
        *reading_rules.plain_setting_in_protected(name),
        *reading_rules.command_line_overrides(name, "a.yaml"),
        *reading_rules.unreadable_value_file(name, "key.pem"),
        *reading_rules.placeholder(key, name, "", option),
        *update_rules.lost_protected_settings(Update((), {}, (name,))),
    ]


@pytest.mark.parametrize("name", ["relayServerConnectionString", "scoringFe.sslKey", "apiKey", "registry.token"])
def test_finding_about_a_secret_setting_is_kept(name: str) -> None:
    findings = findings_about(name)
    assert len(findings) == 12
    for finding in findings:
        assert redact_text(finding.message) == finding.message


@pytest.mark.parametrize("text", ["sslKey: abc81def and more", "apiKey: abcdefghijklmnop follows", "sslKey: ABC def"])
def test_key_before_a_sentence_is_blanked(text: str) -> None:
    assert redact_text(text).split()[1] == "***"
