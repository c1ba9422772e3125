"""diskcache's `Disk` for bytes only: no pickle and no file beside the database can be reached through it.

diskcache 5.6 unpickles keys (`raw` = 0) and values (`mode` = 4) and opens files named in a row (`mode` 2, 3), whatever
its own serialisation: whoever can write a row can run code (CVE-2025-69872). JSONDisk does not help, its `fetch` asks
the unsafe one first. So every way in and out is overridden here. `Settings` rows are never unpickled.
"""

from __future__ import annotations

from typing import Any, NoReturn

import diskcache
from diskcache.core import MODE_RAW, UNKNOWN

from journeymap.errors import StoreCorruptError


class SafeDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no type information
    """Str keys and bytes values, both inside SQLite whatever their size. All else raises `StoreCorruptError`."""

    def put(self, key: object) -> tuple[str, bool]:
        """The key as a row has it."""
        if type(key) is not str:
            raise StoreCorruptError(f"a key must be str, not {type(key).__name__}")
        return key, True

    def get(self, key: object, raw: object) -> str:
        """The key of a row."""
        if raw != 1 or type(key) is not str:
            raise StoreCorruptError("a key was not written by Journeymap (it is not plain text)")
        return key

    def store(self, value: object, read: bool, key: object = UNKNOWN) -> tuple[int, int, None, bytes]:
        """The value as a row has it: size beside the row (always 0), mode, file name, content."""
        if read or type(value) is not bytes:
            raise StoreCorruptError(f"the value of {key!r} must be bytes, not {type(value).__name__}")
        return 0, MODE_RAW, None, value

    def fetch(self, mode: object, filename: object, value: object, read: bool) -> bytes:
        """The value of a row."""
        if mode != MODE_RAW or filename is not None or read or type(value) is not bytes:
            raise StoreCorruptError(f"it was not written by Journeymap (mode {mode!r})")
        return value

    def filename(self, key: object = UNKNOWN, value: object = UNKNOWN) -> NoReturn:
        """Nothing is ever kept in a file of its own."""
        raise StoreCorruptError(f"no file is made for the value of {key!r} ({type(value).__name__})")

    def _write(self, full_path: str, iterator: Any, mode: str, encoding: str | None = None) -> NoReturn:
        raise StoreCorruptError(f"no file is written ({full_path!r}, {iterator!r}, {mode!r}, {encoding!r})")

    def remove(self, file_path: object) -> NoReturn:
        """A row that names a file was not written here, and the file it names may be anyone's."""
        raise StoreCorruptError(f"no file is removed ({file_path!r})")
