"""The one redactor: whatever is printed, logged, raised or written to a file passes it.

It replaces secrets in JSON values, URLs, HTTP headers and free text by `***`: values whose name is that of a secret,
sections that hold nothing else, texts of a known form (private keys, tokens, storage keys), and the values that the
running command has registered. The time it takes grows linearly with the size of its input.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from azext_amlk8s.registered_secrets import BLANK, hide_all_secrets, register_secret

MAX_DEPTH = 100
NAME_LENGTH = 256

# Every value below these keys is a secret, whatever its own name.
_SECRET_SECTIONS = {
    "configurationprotectedsettings", "kubeconfigs", "stringdata", "binarydata", "credential", "credentials",
    "connectionstrings", "passwords", "containerregistrycredentials",
}  # fmt: skip
# Copies of whole objects, in which values appear under other names.
_COPIES = {"kubectl.kubernetes.io/last-applied-configuration", "managedfields"}
_SECRET_HEADERS = {
    "authorization", "proxy-authorization", "x-ms-authorization-auxiliary", "cookie", "set-cookie",
}  # fmt: skip
_NAMES = (
    r"connection[-_]?string|passw(?:or)?d|passphrase|pwd|secret|token|credential|kubeconfig|private[-_]?key|api[-_]?key|"
    r"(?:shared|access|account|primary|secondary|storage|signing|encryption|master|subscription)[\w.-]{0,24}key|"
    r"(?:client|ssl|tls|server|host|function|instrumentation|secret)[-_]?key|secret[-_]?key[-_]?base|"
    r"sas[-_]?(?:url|uri|key|signature)|shared[-_]?access[-_]?signature|dockerconfigjson|dockercfg|client[-_]?assertion"
)
_SECRET_NAME = re.compile(
    rf"(?:{_NAMES})(?:s|[-_.]?(?:data|value|base64|b64))?(?:[-_]?\d{{1,3}})?$|(?<![a-z])sas$|^auth$|^key[12]$", re.I
)
_CAMEL_CASE_SAS = re.compile(r"(?:[a-z]Sas|SAS)$")
_KEY_FILE = re.compile(r"(?<!\])\.(?:pem|key|pfx|p12|jks)$", re.I)
# Names that end like that of a secret and hold none: a reference to a secret, or a lifetime.
_HARMLESS_NAME = re.compile(
    r"(?:sslsecret|from[-_]?secret|secretname|automountserviceaccounttoken|imagepullsecrets?)$", re.I
)

_KNOWN_FORMS = (
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]+)?"),
    re.compile(r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/=]+"),
    re.compile(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==)(?![A-Za-z0-9+/=])"),
)
_AFTER_NAME = (
    re.compile(r"(?P<name>\b(?:Bearer|Basic|SharedAccessSignature)[ \t]{1,8})[A-Za-z0-9+/=._~%&-]{8,}", re.I),
    # The signature of a SAS URL, and the one that Azure puts into the URL of an operation (t, c, s, h).
    re.compile(r"(?P<name>[?&](?:sig|signature|code|key|token|access_token|[tcsh])=)[^&\s\"']+", re.I),
    re.compile(r"(?P<name>://[^/\s:@]{0,200}:)[^@/\s]{1,1000}(?=@)"),
    re.compile(r"(?P<name>://)[^/\s:@]{20,1000}(?=@)"),
)
# The forms of prose: "the connection string of arc is Endpoint=sb://…", "password was 'x'".
_PROSE_NAME = (
    r"(?:connection[-_ ]?string|pass(?:word|phrase)|"
    r"(?:primary|secondary|access|account|shared[ _-]access|storage)[ _-]?key)s?"
)
_PROSE_LINK = (
    r"(?:(?: of(?: [^\s:=]{1,80}){1,3}?)?(?:[ \t]{1,8}(?:is|was)[ \t]{1,8}|[ \t]{0,4}[:=][ \t]{0,4})"
    r"|[ \t]{1,8}(?=[\"']|Endpoint=))"
)
_PROSE = (
    re.compile(rf"(?P<name>{_PROSE_NAME}{_PROSE_LINK}[\"'])[^\"'\n]{{1,4000}}(?=[\"'])", re.I),
    re.compile(rf"(?P<name>{_PROSE_NAME}{_PROSE_LINK})(?=[^\s\"',]{{0,200}}[0-9=;+])[^\s\"',]{{8,4000}}", re.I),
)
_ASSIGNMENT = re.compile(
    r"(?<![\w.-])(?P<name>[\w.-]+)\\{0,7}[\"']?[ \t]{0,40}(?:=>|:=|[=:])[ \t]{0,40}"
    r"(?:[|>][-+]?[ \t]{0,8}\r?\n[ \t]{0,80})?"
)
_OPTION = re.compile(r"(?<![\w.-])--?(?P<name>[A-Za-z][\w.-]*)[ \t]{1,8}(?=[^\s-])")
_OPTION_WITH_FILE = re.compile(r"(?:kubeconfig|credentials?|file)$", re.I)
_OPENING_QUOTE = re.compile(r"\\{0,7}[\"']")
_BARE_VALUE = re.compile(r"[^\s\"',;&}\])]+")
_NOT_A_VALUE = re.compile(r"(?:null|none|true|false)\b|[\[{]|$|<(?:none|nil)>", re.I)
# "failed to get token: context deadline exceeded" is a sentence, not an assignment.
_SENTENCE = re.compile(r"[A-Za-z]{1,40}[ \t]+[A-Za-z(]")
_SENTENCE_NAME = re.compile(r"(?:token|secret|credential|kubeconfig|connection[-_]?string)s?$", re.I)
# Findings about a key begin with one of these words: "sslKey: given more than once".
_KEY_SENTENCE = re.compile(
    r"(?:a|cannot|deployed|empty|expected|given|invalid|is|it|missing|no|not|placeholder|removed|required|the|unknown)"
    r" [a-z]"
)
_KEY_NAME = re.compile(r"key$", re.I)
_KUBECONFIG_VALUE = re.compile(r"^[ \t-]*(?:token|password|client-key-data):[ \t]*[\"']?([^\s\"']+)", re.M)


def register_secrets(document: object) -> None:
    """Register every secret value of a request or response body: protected settings, keys, kubeconfigs."""
    for value in _secret_values(document, False, 0):
        register_secret(value)
        for decoded in _kubeconfig_values(value):
            register_secret(decoded)


def redact(value: Any) -> Any:
    """A JSON value of the same shape without secrets; also blanked are environment values and data of Secrets."""
    return _redact(value, 0)


def redact_text(text: str) -> str:
    """A free text, such as a log or a message, without secrets."""
    text = hide_all_secrets(text)
    for pattern in _KNOWN_FORMS:
        text = pattern.sub(BLANK, text)
    for pattern in (*_PROSE, *_AFTER_NAME):
        text = pattern.sub(rf"\g<name>{BLANK}", text)
    return _without_assigned(_without_assigned(text, _ASSIGNMENT), _OPTION)


def redact_url(url: str) -> str:
    """A URL without passwords and without the signatures that open what it names."""
    return redact_text(url)


def redact_headers(headers: Mapping[str, Any]) -> dict[str, str]:
    """HTTP headers without credentials."""
    return {
        str(name): BLANK if _is_secret_header(str(name)) else redact_text(str(value)) for name, value in headers.items()
    }


def redact_body(body: str | bytes | None) -> str:
    """A JSON body without secrets; of any other body only its length, and "none" for none."""
    if not body:
        return "none"
    try:
        return json.dumps(redact(json.loads(body)))
    except (TypeError, ValueError, RecursionError):
        return f"{len(body)} characters that are not JSON"


@lru_cache(maxsize=4096)
def _is_secret_name(name: str) -> bool:
    name = name[-NAME_LENGTH:]
    if _HARMLESS_NAME.search(name):
        return False
    return bool(_SECRET_NAME.search(name) or _CAMEL_CASE_SAS.search(name))


def is_secret_name(name: str) -> bool:
    """Whether a key of this name holds a secret."""
    return _is_secret_name(name[-NAME_LENGTH:])


def _is_secret_header(name: str) -> bool:
    return name.lower() in _SECRET_HEADERS or name.lower().endswith("-key") or is_secret_name(name)


def _redact(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return BLANK
    if isinstance(value, Mapping):
        is_secret = value.get("kind") == "Secret"
        return {key: _redact_entry(str(key), inner, is_secret, depth) for key, inner in value.items()}
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return list(_redact_items(value, depth))
    return value


def _redact_entry(key: str, value: Any, in_secret: bool, depth: int) -> Any:
    lower = key.lower()
    if lower in _COPIES:
        return BLANK
    if lower in _SECRET_SECTIONS or (in_secret and lower == "data"):
        return _blank_leaves(value, depth + 1)
    if lower == "env" and isinstance(value, list):
        return [_redact_variable(variable, depth + 1) for variable in value]
    if _is_value(value) and (is_secret_name(key) or _KEY_FILE.search(key[-NAME_LENGTH:])):
        return BLANK
    return _redact(value, depth + 1)


def _is_value(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""


def _redact_variable(variable: Any, depth: int) -> Any:
    """A variable of a container: its name and its reference are kept, its value is not."""
    if not isinstance(variable, Mapping):
        return BLANK
    return {key: BLANK if key == "value" else _redact(inner, depth) for key, inner in variable.items()}


def _redact_items(items: Sequence[Any], depth: int) -> Iterator[Any]:
    """The items of a list; in a command line, the one after an option that takes a secret is blanked."""
    previous: Any = ""
    for item in items:
        is_argument = isinstance(item, str) and isinstance(previous, str) and previous.startswith("-")
        yield BLANK if is_argument and is_secret_name(previous) else _redact(item, depth + 1)
        previous = item


def _blank_leaves(value: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:
        return BLANK
    if isinstance(value, Mapping):
        return {key: _blank_leaves(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_blank_leaves(inner, depth + 1) for inner in value]
    return value if value is None or value == "" else BLANK


def _without_assigned(text: str, pattern: re.Pattern[str]) -> str:
    """The text with the value behind each name of a secret blanked."""
    parts: list[str] = []
    start = position = 0
    while match := pattern.search(text, position):
        position = match.end()
        name = match["name"]
        if not is_secret_name(name) or (pattern is _OPTION and _OPTION_WITH_FILE.search(name[-NAME_LENGTH:])):
            continue
        if _begins_sentence(name[-NAME_LENGTH:], text, position):
            continue
        begin, end = _value_span(text, position)
        if begin < end:
            parts += [text[start:begin], BLANK]
            start = position = end
    return "".join([*parts, text[start:]])


def _begins_sentence(name: str, text: str, position: int) -> bool:
    """Whether what follows the name of a secret is a sentence about it instead of its value."""
    if _KEY_NAME.search(name):
        return bool(_KEY_SENTENCE.match(text, position))
    return bool(_SENTENCE_NAME.search(name) and _SENTENCE.match(text, position))


def _value_span(text: str, position: int) -> tuple[int, int]:
    """Where the value that begins at a position starts and ends; empty where there is none to redact."""
    if opening := _OPENING_QUOTE.match(text, position):
        return opening.end(), _closing_quote(text, opening.end(), opening[0])
    if _NOT_A_VALUE.match(text, position):
        return position, position
    bare = _BARE_VALUE.match(text, position)
    return (bare.start(), bare.end()) if bare else (position, position)


def _closing_quote(text: str, start: int, opening: str) -> int:
    """The position before the quote that closes a value, which is escaped no more than the one that opens it.

    An unclosed value ends with its line.
    """
    escapes, mark, at = len(opening) - 1, opening[-1], start
    end = len(text)
    while (at := text.find(mark, at)) >= 0:
        first = at
        while first > start and text[first - 1] == "\\":
            first -= 1
        if at - first <= escapes:
            end = first
            break
        at += 1
    line_end = text.find("\n", start, end)
    return end if line_end < 0 else line_end


def _secret_values(value: Any, secret: bool, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            section = str(key).lower() in _SECRET_SECTIONS
            named = isinstance(inner, str) and is_secret_name(str(key))
            yield from _secret_values(inner, secret or section or named, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _secret_values(inner, secret, depth + 1)
    elif isinstance(value, str) and secret:
        yield value


def _kubeconfig_values(value: str) -> Iterable[str]:
    """The tokens and keys of a kubeconfig in base64, as AKS returns it."""
    if not 100 <= len(value) <= 1_000_000:
        return ()
    try:
        text = base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return ()
    return _KUBECONFIG_VALUE.findall(text)
