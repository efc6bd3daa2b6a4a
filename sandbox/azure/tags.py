"""Microsoft.Resources/tags, the tags of anything by themselves, and the tag names of a subscription.

https://learn.microsoft.com/rest/api/resources/tags
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from sandbox.azure.behaviours import Behaviour, Call, Response
from sandbox.azure.errors import ArmError
from sandbox.azure.tree import Address, Resource, Tree

# https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
MAX_TAGS, MAX_NAME, MAX_VALUE = 50, 512, 256
FORBIDDEN = re.compile(r"[<>%&\\?/]")
TAG_NAMES = re.compile(r"^(/subscriptions/([^/]+)/tagNames)(?:/([^/]+)(?:/tagValues/([^/]+))?)?$", re.I)


class TagsAtScope(Behaviour):
    """The tags of a subscription, a resource group or a resource."""

    type = "Microsoft.Resources/tags"

    def find(self, call: Call) -> Resource | None:
        return _shown(call.address, _owner(call).get("tags") or {})

    async def put(self, call: Call, existing: Resource | None) -> Response:
        return self._set(call, _sent(call))

    async def patch(self, call: Call, existing: Resource) -> Response:
        tags, sent, operation = dict(existing["properties"]["tags"]), _sent(call), str(call.body.get("operation"))
        if operation.lower() == "merge":
            return self._set(call, _merged(tags, sent))
        if operation.lower() == "replace":
            return self._set(call, sent)
        if operation.lower() == "delete":
            gone = {name.lower(): value for name, value in sent.items()}
            kept = {
                name: value
                for name, value in tags.items()
                if name.lower() not in gone or gone[name.lower()] not in ("", value)
            }
            return self._set(call, kept)
        text = f"The operation '{operation}' is invalid; expected Replace, Merge or Delete."  # assumed
        raise ArmError(400, "InvalidTagsPatchOperation", text)

    async def delete(self, call: Call, existing: Resource | None) -> Response:
        self._set(call, {})
        return Response(200)

    def _set(self, call: Call, tags: dict[str, str]) -> Response:
        require_valid(tags)
        owner = _owner(call)
        owner["tags"] = tags
        return Response(200, _shown(call.address, tags))


def _owner(call: Call) -> Resource:
    """The resource that has the tags; those of a subscription are kept in an entry of their own."""
    address, tree = call.address, call.azure.tree
    if owner := tree.get(address.scope) or tree.get(address.id):
        return owner
    return tree.put({"id": address.id, "name": "default", "type": TagsAtScope.type, "tags": {}})


def _sent(call: Call) -> dict[str, str]:
    return {str(name): str(value) for name, value in ((call.body.get("properties") or {}).get("tags") or {}).items()}


def _merged(tags: dict[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """Names are compared without case and keep their first spelling."""
    spelled = {name.lower(): name for name in tags}
    return {**tags, **{spelled.get(name.lower(), name): value for name, value in sent.items()}}


def _shown(address: Address, tags: Mapping[str, str]) -> Resource:
    return {"id": address.id, "name": "default", "type": TagsAtScope.type, "properties": {"tags": dict(tags)}}


def require_valid(tags: Mapping[str, Any]) -> None:
    """Raise ArmError 400 for tags that no resource may have. The limits are documented; assumed: code and message."""
    if len(tags) > MAX_TAGS:
        text = f"The resource has {len(tags)} tags. The maximum number of tags is {MAX_TAGS}."
        raise ArmError(400, "InvalidTagCount", text)
    for name, value in tags.items():
        if not name or FORBIDDEN.search(name):
            text = f"The tag name '{name}' is empty or has a reserved character: <,>,%,&,\\,?,/."
            raise ArmError(400, "InvalidTagNameCharacters", text)
        if len(name) > MAX_NAME:
            raise ArmError(400, "InvalidTagName", f"The tag name '{name}' is longer than {MAX_NAME} characters.")
        if len(str(value)) > MAX_VALUE:
            raise ArmError(400, "InvalidTagValue", f"The value of tag '{name}' is longer than {MAX_VALUE} characters.")


class TagNames:
    """The tag names and values that a subscription defines or uses."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._defined: dict[str, list[str]] = {}

    def respond(self, method: str, path: str) -> Response | None:
        """The response to a path of tag names, None for all others."""
        found = TAG_NAMES.match(path)
        if found is None:
            return None
        base, subscription, name, value = found.groups()
        if name is None:
            if method != "GET":
                raise _not_allowed(method)
            return Response(200, {"value": self._list(base, subscription)})
        if method not in ("PUT", "DELETE"):
            raise _not_allowed(method)
        key = next((known for known in self._defined if known.lower() == name.lower()), name)
        if value is None:
            return self._name(method, f"{base}/{key}", key)
        return self._value(method, f"{base}/{key}/tagValues/{value}", key, value)

    def _name(self, method: str, tag_id: str, name: str) -> Response:
        known = name in self._defined
        if method == "DELETE":
            self._defined.pop(name, None)
            return Response(200 if known else 204)
        self._defined.setdefault(name, [])
        return Response(200 if known else 201, _tag(tag_id, name, Counter(), self._defined[name]))

    def _value(self, method: str, value_id: str, name: str, value: str) -> Response:
        values = self._defined.get(name)
        if values is None:
            raise ArmError(404, "TagNameNotFound", f"The tag '{name}' could not be found.")  # assumed
        known = value in values
        if method == "DELETE":
            self._defined[name] = [other for other in values if other != value]
            return Response(200 if known else 204)
        if not known:
            values.append(value)
        return Response(200 if known else 201, {"id": value_id, "tagValue": value, "count": _count(0)})

    def _list(self, base: str, subscription: str) -> list[dict[str, Any]]:
        used: dict[str, Counter[str]] = {name: Counter() for name in self._defined}
        for resource in self._tree.within(f"/subscriptions/{subscription}"):
            for name, value in (resource.get("tags") or {}).items():
                used.setdefault(name, Counter())[value] += 1
        return [
            _tag(f"{base}/{name}", name, counts, self._defined.get(name, ())) for name, counts in sorted(used.items())
        ]


def _tag(tag_id: str, name: str, counts: Counter[str], defined: Any) -> dict[str, Any]:
    values = [*counts, *(value for value in defined if value not in counts)]
    return {
        "id": tag_id,
        "tagName": name,
        "count": _count(counts.total()),
        "values": [
            {"id": f"{tag_id}/tagValues/{value}", "tagValue": value, "count": _count(counts[value])} for value in values
        ],
    }


def _count(number: int) -> dict[str, Any]:
    return {"type": "Total", "value": number}


def _not_allowed(method: str) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"The request method '{method}' is not supported for tag names.")


ALL = (TagsAtScope(),)
