"""The $filter of lists of resources and of resource groups.

https://learn.microsoft.com/rest/api/resources/resources/list
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Resource

TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z/]+|[(),]))")
PROPERTIES = ("location", "resourcetype", "name", "resourcegroup", "identity/principalid", "tagname", "tagvalue")
Values = dict[str, str]
Test = Callable[[Values], bool]


@dataclass(frozen=True)
class Filter:
    """A parsed filter. names: the properties in it, in lower case."""

    test: Test
    names: frozenset[str]

    @property
    def hides_tags(self) -> bool:
        """Whether the results are listed without tags, as those of a filter by tag name and value are."""
        return {"tagname", "tagvalue"} <= self.names

    def matches(self, resource: Resource) -> bool:
        """Whether a resource, or one of its tags, is as the filter says."""
        return any(self.test(values) for values in _values(resource))


def parse_filter(text: str) -> Filter:
    """A filter; an empty one matches everything. Raises ArmError 400."""
    if not text.strip():
        return Filter(lambda values: True, frozenset())
    try:
        parser = _Parser(text)
        test = parser.alternatives()
        parser.end()
    except ValueError:
        raise _invalid(text) from None
    by_tag = parser.names & {"tagname", "tagvalue"}
    if by_tag and parser.names - by_tag:
        # az refuses the combination itself; assumed: the words of ARM.
        raise _invalid(text)
    return Filter(test, frozenset(parser.names))


class _Parser:
    """Reads alternatives of conjunctions of comparisons."""

    def __init__(self, text: str) -> None:
        self.names: set[str] = set()
        self._tokens: list[tuple[str, bool]] = []
        at, text = 0, text.strip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise ValueError(text)
            quoted, word = found.groups()
            self._tokens.append((word, False) if quoted is None else (quoted.replace("''", "'"), True))
            at = found.end()

    def alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self._skip("or"):
            tests.append(self._conjunction())
        return lambda values: any(test(values) for test in tests)

    def end(self) -> None:
        """Raise ValueError unless everything is read."""
        if self._tokens:
            raise ValueError

    def _conjunction(self) -> Test:
        tests = [self._comparison()]
        while self._skip("and"):
            tests.append(self._comparison())
        return lambda values: all(test(values) for test in tests)

    def _comparison(self) -> Test:
        if self._skip("("):
            inner = self.alternatives()
            self._expect(")")
            return inner
        word = self._word()
        if word == "startswith":
            self._expect("(")
            name = self._property()
            self._expect(",")
            prefix = self._text().lower()
            self._expect(")")
            return lambda values: values.get(name, "").lower().startswith(prefix)
        if word == "substringof":
            self._expect("(")
            part = self._text().lower()
            self._expect(",")
            name = self._property()
            self._expect(")")
            return lambda values: part in values.get(name, "").lower()
        name, operator = self._known(word), self._word()
        if operator not in ("eq", "ne"):
            raise ValueError(operator)
        wanted = _folded(name, self._text())
        return lambda values: (_folded(name, values.get(name, "")) == wanted) == (operator == "eq")

    def _property(self) -> str:
        return self._known(self._word())

    def _known(self, word: str) -> str:
        if word not in PROPERTIES:
            raise ValueError(word)
        self.names.add(word)
        return word

    def _word(self) -> str:
        value, quoted = self._take()
        if quoted:
            raise ValueError(value)
        return value.lower()

    def _text(self) -> str:
        value, quoted = self._take()
        if not quoted:
            raise ValueError(value)
        return value

    def _take(self) -> tuple[str, bool]:
        if not self._tokens:
            raise ValueError
        return self._tokens.pop(0)

    def _skip(self, word: str) -> bool:
        if self._tokens and not self._tokens[0][1] and self._tokens[0][0].lower() == word:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise ValueError(word)


def _folded(name: str, value: str) -> str:
    """Everything is compared without case, but for the values of tags."""
    return value if name == "tagvalue" else value.lower()


def _values(resource: Resource) -> Iterator[Values]:
    """What a filter compares, once without a tag and once for each tag."""
    parts = resource["id"].split("/")
    values = {
        "location": resource.get("location") or "",
        "resourcetype": resource["type"],
        "name": resource["name"],
        "resourcegroup": parts[4] if len(parts) > 4 else "",
        "identity/principalid": (resource.get("identity") or {}).get("principalId") or "",
    }
    yield values
    for name, value in (resource.get("tags") or {}).items():
        yield {**values, "tagname": name, "tagvalue": value}


def _invalid(text: str) -> ArmError:
    message = f"Invalid $filter '{text}' specified in the query string."
    return ArmError(400, "InvalidFilterInQueryString", message)
