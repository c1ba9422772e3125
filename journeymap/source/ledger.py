"""Which subscriptions we have made and not deleted: a process that dies leaves them on the platform, the next one clears up."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import Final

import msgspec

_log = logging.getLogger(__name__)

LONGEST: Final = 64
"""So many are remembered; of more, the oldest are forgotten."""


class _File(msgspec.Struct, frozen=True):
    api_url: str
    client_id: str
    subscriptions: list[str] = []


class Ledger:
    """Subscription ids, in the file at `path` or (None) in memory only. Of another platform or client it knows nothing.

    Only what stands here is ever cleared up: other programs may use the same client. A file that cannot be read or
    written is logged and does no further harm. It is not synced to the disk: after a loss of power a subscription may
    stay behind. One thread at a time.
    """

    def __init__(self, path: Path | None, api_url: str, client_id: str) -> None:
        self._path = path
        self._api_url = api_url
        self._client_id = client_id
        self._in_use: dict[str, None] = {}
        self._left: dict[str, None] = dict.fromkeys(self._read())

    @property
    def left(self) -> tuple[str, ...]:
        """Those that nobody uses any more and that are still to be deleted, oldest first."""
        return tuple(self._left)

    def make(self, subscription: str) -> None:
        """It is in use."""
        self._left.pop(subscription, None)
        self._in_use[subscription] = None
        self._write()

    def leave(self, subscription: str) -> None:
        """It is not used any more, but could not be deleted."""
        if subscription in self._in_use:
            del self._in_use[subscription]
            self._left[subscription] = None
            self._write()

    def delete(self, subscription: str) -> None:
        """It is no more."""
        if subscription in self._in_use or subscription in self._left:
            self._in_use.pop(subscription, None)
            self._left.pop(subscription, None)
            self._write()

    def _read(self) -> list[str]:
        if self._path is None or not self._path.exists():
            return []
        try:
            file = msgspec.json.decode(self._path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            _log.warning("%s cannot be read, so subscriptions may stay behind: %s", self._path, error)
            return []
        ours = (file.api_url, file.client_id) == (self._api_url, self._client_id)
        return file.subscriptions[-LONGEST:] if ours else []

    def _write(self) -> None:
        while len(self._left) + len(self._in_use) > LONGEST and self._left:
            del self._left[next(iter(self._left))]
        if self._path is None:
            return
        file = _File(self._api_url, self._client_id, [*self._left, *self._in_use])
        beside = self._path.with_name(self._path.name + ".new")
        try:
            with contextlib.suppress(FileNotFoundError):
                beside.unlink()
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
                new.write(msgspec.json.encode(file))
            beside.replace(self._path)
        except OSError as error:
            _log.warning("%s cannot be written, so subscriptions may stay behind: %s", self._path, error.strerror)
