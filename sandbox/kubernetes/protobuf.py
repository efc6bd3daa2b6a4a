"""Access reviews in protobuf, which kubectl sends since 1.32.

https://github.com/kubernetes/api/blob/master/authorization/v1/generated.proto has the numbers of the fields;
https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding has the envelope.
"""

from __future__ import annotations

from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\0"
RAW, SPEC = 2, 2  # runtime.Unknown.raw, SelfSubjectAccessReview.spec
ATTRIBUTES = {
    1: ("resourceAttributes", ("namespace", "verb", "group", "version", "resource", "subresource", "name")),
    2: ("nonResourceAttributes", ("path", "verb")),
}


def access_review(body: bytes) -> dict[str, Any]:
    """The SelfSubjectAccessReview in the body of a request. Raises ValueError where it is no such message."""
    if not body.startswith(MAGIC):
        raise ValueError("provided data does not appear to be a protobuf message, expected prefix 'k8s\\0'")
    review = _fields(_fields(body[len(MAGIC) :]).get(RAW, b""))
    spec: dict[str, dict[str, str]] = {}
    for number, value in _fields(review.get(SPEC, b"")).items():
        if number in ATTRIBUTES:
            key, names = ATTRIBUTES[number]
            fields = _fields(value)
            spec[key] = {name: fields[at].decode() for at, name in enumerate(names, 1) if fields.get(at)}
    return {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": spec}


def _fields(message: bytes) -> dict[int, bytes]:
    """The fields of a message that are strings or messages, by number. Raises ValueError where it is truncated."""
    fields, at = {}, 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        value, at = _varint(message, at)
        if wire_type == 2:
            if at + value > len(message):
                raise ValueError("the protobuf message is truncated")
            fields[number], at = message[at : at + value], at + value
        elif wire_type != 0:
            raise ValueError(f"unexpected wire type {wire_type} in a protobuf message")
    return fields


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at, value, shift = at + 1, value | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("the protobuf message is truncated")
