"""The hashes of templates: uniqueString and guid.

https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-string
"""

from __future__ import annotations

import uuid

# The namespace is public: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions-string#guid
NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
WORD = 0xFFFFFFFF
FIRST, SECOND = 0x239B961B, 0xAB0E9789


def guid(*parts: str) -> str:
    """A GUID of version 5 of the parts."""
    return str(uuid.uuid5(NAMESPACE, "-".join(parts)))


def unique_string(*parts: str) -> str:
    """13 characters of a 64-bit Murmur hash of the parts."""
    number = _murmur("-".join(parts).encode())
    bits = number << 1  # 13 characters hold 65 bits
    return "".join(ALPHABET[(bits >> shift) & 31] for shift in range(60, -1, -5))


def _murmur(data: bytes) -> int:
    """MurmurHash3 with two lanes of 32 bits."""
    low = high = 0
    whole = len(data) - len(data) % 8
    for at in range(0, whole, 8):
        low ^= _mix(data[at : at + 4], FIRST, 15, SECOND)
        low = ((_rotate(low, 19) + high) * 5 + 0x561CCD1B) & WORD
        high ^= _mix(data[at + 4 : at + 8], SECOND, 17, FIRST)
        high = ((_rotate(high, 13) + low) * 5 + 0x0BCAA747) & WORD
    low ^= _mix(data[whole : whole + 4], FIRST, 15, SECOND)
    high ^= _mix(data[whole + 4 :], SECOND, 17, FIRST)
    low, high = low ^ len(data), high ^ len(data)
    low = (low + high) & WORD
    high = (high + low) & WORD
    low, high = _finish(low), _finish(high)
    low = (low + high) & WORD
    high = (high + low) & WORD
    return high << 32 | low


def _mix(block: bytes, before: int, bits: int, after: int) -> int:
    return _rotate(int.from_bytes(block, "little") * before & WORD, bits) * after & WORD


def _rotate(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & WORD


def _finish(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EBCA6B & WORD
    value = (value ^ value >> 13) * 0xC2B2AE35 & WORD
    return value ^ value >> 16
