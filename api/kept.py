"""Answers kept in memory: vector tiles of stored runs never change (瓦片缓存)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MAX_BYTES = 64_000_000
ENTRY_BYTES = 200
"""What the books of one entry take, about."""


class Kept:
    """Keeps the answers used last, up to a number of bytes; safe between threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._found: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """Return the answer kept under a key, or make and keep it."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        content = make()
        with self._lock:
            if key not in self._found:
                self._found[key] = content
                self._bytes += _weight(key, content)
            while self._bytes > self._max_bytes:
                self._bytes -= _weight(*self._found.popitem(last=False))
        return content


def _weight(key: str, content: bytes) -> int:
    """Return what an entry takes; an empty tile takes something too."""
    return ENTRY_BYTES + len(key) + len(content)
