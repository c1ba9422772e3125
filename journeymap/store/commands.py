"""Operator commands as small files: the web side leaves them without touching the database, which the writer owns."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from journeymap.errors import InputError, StoreError

COMMANDS_KEPT: Final = 100
COMMAND_BYTES: Final = 4_096


class CommandFiles:
    """A folder with one file a command, named by its number; the oldest go when there are too many."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def leave(self, command: str) -> None:
        """Leave a command, whole or not at all."""
        data = check_command(command)
        try:
            self._directory.mkdir(mode=0o700, exist_ok=True)
            draft = self._directory / f"draft-{secrets.token_hex(8)}"
            draft.write_bytes(data)
            try:
                self._number(draft)
            finally:
                draft.unlink(missing_ok=True)
            for path in self._files()[:-COMMANDS_KEPT]:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"the command could not be left in {self._directory}: {error}") from error

    def take(self) -> list[str]:
        """All commands, oldest first, and forget them. A file that is no command is removed and left out."""
        commands = []
        for path in self._files():
            with suppress(OSError):
                data = path.read_bytes() if path.stat().st_size <= COMMAND_BYTES else b""
                path.unlink()
                with suppress(UnicodeDecodeError):
                    commands.extend([data.decode()] if data else [])
        return commands

    def _number(self, draft: Path) -> None:
        # A link fails where the name is taken, a rename would replace what another process has left in between.
        while True:
            files = self._files()
            number = int(files[-1].name) + 1 if files else 1
            with suppress(FileExistsError):
                os.link(draft, self._directory / f"{number:012d}")
                return

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._directory.iterdir() if path.name.isascii() and path.name.isdigit())
        except FileNotFoundError:
            return []


def check_command(command: str) -> bytes:
    """The command in UTF-8; raises `InputError` for one that is empty, too long or no text."""
    try:
        data = command.encode()
    except UnicodeEncodeError as error:
        raise InputError("a command must be plain text") from error
    if not 0 < len(data) <= COMMAND_BYTES:
        raise InputError(f"a command must have 1 to {COMMAND_BYTES} bytes, this one has {len(data)}")
    return data
