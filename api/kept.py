"""Answers kept in memory: vector tiles of stored runs never change (瓦片缓存)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MAX_BYTES = 64_000_000


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
            self._bytes += len(content) - len(self._found.get(key, b""))
            self._found[key] = content
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._found.popitem(last=False)[1])
        return content
