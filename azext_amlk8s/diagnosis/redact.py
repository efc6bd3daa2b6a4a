"""What may leave the machine: objects of Azure and of Kubernetes, and texts, with their secrets blanked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BLANK = "***"
# Bags of which every value is a secret, whatever its name.
BAGS = ("configurationprotectedsettings", "kubeconfigs", "stringdata", "binarydata")
# Copies of whole objects, with all that was blanked elsewhere.
COPIES = ("kubectl.kubernetes.io/last-applied-configuration", "managedfields")
WORDS = (
    r"connection-?_?string|passw(?:or)?d|passphrase|secret|token|credential|kubeconfig|private-?_?key|api-?_?key|"
    r"(?:shared|access|account|primary|secondary|storage|signing|encryption)[\w.-]*key|client-?_?key|ssl-?_?key|"
    r"instrumentation-?_?key|(?<![a-z])sas(?![a-z])"
)
SECRET_NAME = re.compile(
    rf"(?:^|[^a-z])(?:{WORDS})s?(?:-?_?data)?$|(?:{WORDS})(?:-?_?data)?$|\.(?:pem|key|pfx|crt|jks)$", re.I
)
# Names that end like a secret's and hold none: the name of one, or how long one lives.
HARMLESS = re.compile(r"(?:sslsecret|secretname|tokenexpirationseconds|automountserviceaccounttoken)$", re.I)
OPTION = re.compile(rf"^--?[\w.-]*(?:{WORDS})$", re.I)
TEXTS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"),
    re.compile(r"\bLS0tLS1CRUdJTi[A-Za-z0-9+/=]+"),
    re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="),
)
ASSIGNED = re.compile(
    rf"(?P<name>[\"']?[\w.-]*(?:{WORDS})[\w.-]*[\"']?\s*[=:]\s*)(?P<quote>[\"']?)(?P<value>[^\s\"',;&}}]+)", re.I
)
BEARER = re.compile(r"(?P<name>\b(?:Bearer|Basic)\s+)[A-Za-z0-9+/=._~-]{8,}", re.I)
SIGNED = re.compile(r"(?P<name>[?&](?:sig|code|key)=)[^&\s\"']+", re.I)
IN_URL = re.compile(r"(?P<name>://[^/\s:@]+:)[^@/\s]+(?=@)")


def redacted(value: Any) -> Any:
    """The same with every secret blanked: bags of secrets, what has a secret's name, values of environments, data of
    Secrets, copies of whole objects, and whatever a text shows.
    """
    if isinstance(value, Mapping):
        secret = value.get("kind") == "Secret"
        return {key: _of_key(str(key), one, secret) for key, one in value.items()}
    if isinstance(value, str):
        return redacted_text(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return list(_of_words(value))
    return value


def redacted_text(text: str) -> str:
    """A text, such as a log, with whatever looks like a secret blanked."""
    for pattern in TEXTS:
        text = pattern.sub(BLANK, text)
    for pattern in (BEARER, SIGNED, IN_URL):
        text = pattern.sub(lambda found: f"{found['name']}{BLANK}", text)
    return ASSIGNED.sub(lambda found: f"{found['name']}{found['quote']}{BLANK}", text)


def _of_key(key: str, value: Any, secret: bool) -> Any:
    lower = key.lower()
    if lower in COPIES:
        return BLANK
    if lower in BAGS or (secret and lower == "data"):
        return _all(value)
    if lower == "env" and isinstance(value, list):
        return [_variable(one) for one in value]
    if SECRET_NAME.search(key) and not HARMLESS.search(key) and isinstance(value, (str, int, float)):
        return value if isinstance(value, bool) or value == "" else BLANK
    return redacted(value)


def _variable(one: Any) -> Any:
    """A variable of a container: its name and where it comes from are told, its value never."""
    if not isinstance(one, Mapping):
        return BLANK
    return {key: BLANK if key == "value" else redacted(value) for key, value in one.items()}


def _of_words(words: Sequence[Any]) -> Iterator[Any]:
    """The members of a list; after an option of a command line that has a secret's name, its value is blanked."""
    before: Any = ""
    for one in words:
        yield BLANK if isinstance(before, str) and OPTION.match(before) and isinstance(one, str) else redacted(one)
        before = one


def _all(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _all(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_all(one) for one in value]
    return value if value in (None, "") else BLANK
