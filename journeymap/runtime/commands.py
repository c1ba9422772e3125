"""What operators tell ingest through the store: a word, and where it needs more, a JSON object behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from journeymap.errors import InputError

Handler = Callable[[Mapping[str, Any]], None]
"""Does what a command says. Raises InputError where that cannot be done."""

log = logging.getLogger(__name__)


def written(word: str, **fields: Any) -> str:
    """A command as it is left in the store."""
    return f"{word} {msgspec.json.encode(fields).decode()}" if fields else word


def obey(commands: Iterable[str], handlers: Mapping[str, Handler]) -> None:
    """Do what each command says. One that is not known, or that cannot be done, is logged and left."""
    for command in commands:
        word, _, rest = command.partition(" ")
        handler = handlers.get(word)
        if handler is None:
            log.warning("an operator's command is not known: %.100s", word)
            continue
        try:
            handler(msgspec.json.decode(rest, type=dict[str, Any]) if rest else {})
        except (InputError, msgspec.MsgspecError, UnicodeError) as error:
            log.warning("an operator's command %s cannot be done: %s", word, error)
