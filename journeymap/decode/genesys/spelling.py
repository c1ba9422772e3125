"""The platform's enumerations, which its APIs spell in three ways: `CONSULT_TRANSFER`, `transfer.consult`, `consultTransfer`.

All become the first. A value that is not known keeps its words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from journeymap.decode.genesys.reading import text

_KNOWN: Final = (
    # disconnectType
    "ENDPOINT", "CLIENT", "SYSTEM", "TRANSFER", "ERROR", "PEER", "OTHER", "SPAM", "TIMEOUT", "TRANSPORT_FAILURE",
    "CONFERENCE_TRANSFER", "CONSULT_TRANSFER", "FORWARD_TRANSFER", "NO_ANSWER_TRANSFER", "NOT_AVAILABLE_TRANSFER",
    "UNCALLABLE", "DND_ENDPOINT", "DND_TRANSFER", "INACTIVITY", "SESSION_EXPIRED", "TAKEOVER",
    # acdOutcome
    "ABANDON", "ANSWERED", "FLOW_OUT",
    # exitReason
    "DISCONNECT", "FLOW_DISCONNECT", "FLOW_ERROR_DISCONNECT", "SESSION_EXPIRE_DISCONNECT", "RECOGNITION_FAILURE_DISCONNECT",
    "RECOGNITION_FAILURE_EXIT", "USER_EXIT", "FLOW_EXIT", "FLOW_ERROR_EXIT",
    # transferType
    "ACD", "USER", "NUMBER", "ACD_VOICEMAIL", "USER_VOICEMAIL", "GROUP_VOICEMAIL", "GROUP", "FLOW", "SECURE_FLOW",
    "RETURN_TO_AGENT",
    # flowType, mediaType and messageType have no word breaks
    "INBOUNDCALL", "OUTBOUNDCALL", "INQUEUECALL", "SECURECALL", "INBOUNDEMAIL", "SURVEYINVITE", "INBOUNDSHORTMESSAGE",
    "INBOUNDCHAT", "DIGITALBOT", "COMMONMODULE", "INQUEUEEMAIL", "INQUEUESHORTMESSAGE", "WORKITEM", "VOICESURVEY",
    "INTERNALMESSAGE", "SCREENSHARE", "SCREENMONITORING", "WEBMESSAGING", "WHATSAPP", "LINKEDIN", "SOCIALEXPRESSION",
)  # fmt: skip
UNKNOWN: Final = "UNKNOWN"
"""The value by which the platform says that it does not know."""

LONGEST_KNOWN: Final = 64
"""Letters of the longest value that is remembered: what a stranger sends may be as long as a frame."""

_GENERAL: Final = ("TRANSFER", "ENDPOINT")
"""Words that come first in the spelling with dots, and last in the others: `transfer.consult`."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_JOINING: Final = re.compile(r"[^a-z0-9]")


def _squeezed(value: str) -> str:
    return _JOINING.sub("", value.lower())


def _spellings() -> dict[str, str]:
    found = {_squeezed(name): name for name in _KNOWN}
    for name in _KNOWN:
        special, _, general = name.rpartition("_")
        if general in _GENERAL and special:
            found[_squeezed(general + special)] = name
    return found


_SPELLINGS: Final = _spellings()


def enumeration(value: Any) -> str | None:
    """The one spelling of an enumeration's value: words in upper case with `_` between them; None where there is none."""
    given = text(value)
    if given is None:
        return None
    return _known(given) if len(given) <= LONGEST_KNOWN else _spelled(given)


@lru_cache(maxsize=1_024)  # there are few values, and each is read in every message
def _known(given: str) -> str:
    return _spelled(given)


def _spelled(given: str) -> str:
    known = _SPELLINGS.get(_squeezed(given))
    if known is not None:
        return known
    if given.isupper() or not given.isascii():
        return given
    words = _WORD.findall(given)
    if "." in given and words and words[0].upper() in _GENERAL:
        words.append(words.pop(0))  # transfer.blind is blindTransfer
    return "_".join(words).upper() or given


def enumerations(value: Any) -> list[str]:
    """The same of an array."""
    return [name for item in value if (name := enumeration(item))] if isinstance(value, list) else []


def medium(value: Any) -> str:
    """A `mediaType` in lower case; empty where there is none, or the platform says that it does not know it."""
    name = enumeration(value)
    return "" if name is None or name == UNKNOWN else name.lower()


def is_transfer(disconnect_type: str | None) -> bool:
    """Whether who left so has handed the customer on."""
    return disconnect_type is not None and disconnect_type.endswith("TRANSFER")
