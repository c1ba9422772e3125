"""The rules of identity: by what customers are known, as the operator has set it (docs/identity.md)."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Final

import msgspec

from journeymap.model.event import Event
from journeymap.model.key import KEY_KINDS, kind_of

CONTACT: Final = "contact"
"""The rule that a platform's own contact id names the customer."""

RULES: Final = (CONTACT, *KEY_KINDS)
"""All rules, the strongest first."""

BUSY: Final = 100
"""A key on more interactions than this is a switchboard's or a machine's."""


class IdentityRules(msgspec.Struct, frozen=True):
    """The rules in force, the strongest first; one that is not in `order` is off.

    A key that more than `key_limit` customers use is none, nor is one on more than `busy` interactions, nor one that a pattern
    of `ignore` matches (`*` stands for anything; with the kind before it, or without).
    """

    order: tuple[str, ...] = RULES
    key_limit: int = 1
    ignore: tuple[str, ...] = ()
    busy: int = BUSY

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of keys that count, in order."""
        return tuple(rule for rule in self.order if rule != CONTACT)

    def names(self, event: Event) -> bool:
        """Whether a customer id on this event counts. One of an event stream always does: it is not a contact's."""
        return not event.standing or CONTACT in self.order

    def keeps(self, key: str) -> bool:
        """Whether a key counts."""
        return kind_of(key) in self.order and not (self.ignore and _matches(self.ignore, key))


@lru_cache(maxsize=8)
def _pattern(ignore: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(translate(one.lower()) for one in ignore))


@lru_cache(maxsize=4_096)
def _matches(ignore: tuple[str, ...], key: str) -> bool:
    pattern, spelled = _pattern(ignore), key.lower()
    return pattern.match(spelled) is not None or pattern.match(spelled.partition(":")[2]) is not None
