"""Ids that come from the seed: every run of the same world has the same ones.

A living thing (server, volume, ...) is number `index` of population `population`. Its id carries both, masked by a
keyed hash, so an id is turned back into the thing without any table: 100,000 servers need no index of 100,000 rows.
"""

import hashlib
from enum import IntEnum

_POPULATION_BITS = 12
_INDEX_BITS = 32
_PAYLOAD_BITS = 48  # 4 of kind, 12 of population, 32 of index
_PAYLOAD_MASK = (1 << _PAYLOAD_BITS) - 1
_TAG_MASK = (1 << 74) - 1


class Kind(IntEnum):
    SERVER = 1
    VOLUME = 2
    SNAPSHOT = 3
    FLOATING_IP = 4
    PORT = 5


class Ids:
    def __init__(self, seed: int) -> None:
        self._key = hashlib.blake2b(str(seed).encode(), digest_size=32).digest()

    def named(self, *parts: object) -> str:
        """32 hex digits (a version 4 uuid without dashes) that stand for the given name for ever."""
        digest = hashlib.blake2b("/".join(map(str, parts)).encode(), key=self._key, digest_size=16).hexdigest()
        return f"{digest[:12]}4{digest[13:16]}a{digest[17:]}"

    def secret(self, *parts: object, size: int = 32) -> str:
        return hashlib.blake2b("/".join(map(str, parts)).encode(), key=self._key, digest_size=size).hexdigest()

    def number(self, *parts: object) -> int:
        """A 64-bit number for the given name."""
        digest = hashlib.blake2b("/".join(map(str, parts)).encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest, "big")

    def living(self, kind: Kind, population: int, index: int) -> str:
        """The dashed uuid of a living thing."""
        payload = (kind << (_POPULATION_BITS + _INDEX_BITS)) | (population << _INDEX_BITS) | index
        tag = self._tag(payload)
        head = f"{payload ^ self._mask(tag):012x}"
        low = f"{tag & ((1 << 62) - 1) | (1 << 63):016x}"  # 62 bits under the variant bits 10
        return f"{head[:8]}-{head[8:]}-4{tag >> 62:03x}-{low[:4]}-{low[4:]}"

    def which(self, text: str) -> tuple[Kind, int, int] | None:
        """(kind, population, index) of an id made by `living`; None for any other id."""
        digits = text.replace("-", "")
        if len(digits) != 32 or digits[12] != "4":
            return None
        try:
            head, tag = int(digits[:12], 16), (int(digits[13:16], 16) << 62) | (int(digits[16:], 16) & ((1 << 62) - 1))
        except ValueError:
            return None
        payload = head ^ self._mask(tag)
        if self._tag(payload) != tag:
            return None
        kind = payload >> (_POPULATION_BITS + _INDEX_BITS)
        population = (payload >> _INDEX_BITS) & ((1 << _POPULATION_BITS) - 1)
        return Kind(kind), population, payload & ((1 << _INDEX_BITS) - 1)

    def _tag(self, payload: int) -> int:
        digest = hashlib.blake2b(payload.to_bytes(6, "big"), key=self._key, digest_size=10).digest()
        return int.from_bytes(digest, "big") & _TAG_MASK

    def _mask(self, tag: int) -> int:
        digest = hashlib.blake2b(tag.to_bytes(10, "big"), key=self._key, digest_size=6).digest()
        return int.from_bytes(digest, "big") & _PAYLOAD_MASK


def dashed(digits: str) -> str:
    """8-4-4-4-12 form of 32 hex digits: Keystone writes ids without dashes, the other services with."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
