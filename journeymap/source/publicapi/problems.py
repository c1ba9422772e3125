"""What an answer that is none of success says, as an error of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from journeymap.errors import ForbiddenError, RefusedError, RequestError, SourceError, TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import MAX_RETRY_AFTER
from journeymap.protocol.budget import Told
from journeymap.source.transport import Answer

TOO_MANY: Final = 429
_PASSES: Final = (408, 425, TOO_MANY)
"""Beside these, whatever is 500 and more."""

_IN_WORDS: Final = re.compile(r"in \[(\d{1,6})\] seconds|within \[(\d{1,6})\] seconds")
_PERMISSION: Final = re.compile(r"\b[A-Za-z][\w-]*:[A-Za-z*][\w-]*:[A-Za-z*][\w-]*")
_LONGEST: Final = 300


def problem(answer: Answer, request: str, where: str) -> SourceError:
    """The error that this answer to `request` (method and path) of the server `where` means."""
    fields = answer.fields()
    code, message = _text(fields.get("code")), _text(fields.get("message"))
    context = _text(fields.get("contextId")) or _text(answer.extras.get("inin-correlation-id"))
    named = f" {code}" if code else ""
    said = f"{where} answered {request} with {answer.status}{named}"
    if message:
        said += f": {message}"
    if answer.status in _PASSES or answer.status >= 500:
        asked = asked_for(answer)
        return TransientSourceError(said, None if asked is None else asked / SECOND)
    if context:
        said += f" (its support finds this as {context})"
    if answer.status == 401:
        return RefusedError(said, 401, code)
    if answer.status == 403:
        permissions = permissions_in(fields)
        if permissions:
            said = f"{where} does not allow {request}: the roles of the OAuth client lack {', '.join(permissions)}"
        return ForbiddenError(said, 403, code, permissions)
    return RequestError(said, answer.status, code, context)


def asked_for(answer: Answer) -> Millis | None:
    """The wait that the platform asks for, by a header or in words."""
    if answer.retry_after is not None:
        return answer.retry_after
    found = _IN_WORDS.search(str(answer.fields().get("message", ""))[:_LONGEST])
    return min(int(found[1] or found[2]) * SECOND, MAX_RETRY_AFTER) if found is not None else None


def told(answer: Answer) -> Told | None:
    """What the answer's headers say of the limit on requests, if they say it all."""
    names = ("inin-ratelimit-count", "inin-ratelimit-allowed", "inin-ratelimit-reset")
    numbers = [int(text) for name in names if re.fullmatch(r"[0-9]{1,7}", text := answer.extras.get(name, ""))]
    if len(numbers) < len(names):
        return None
    count, allowed, reset = numbers
    return Told(count, allowed, min(reset * SECOND, MAX_RETRY_AFTER))


def permissions_in(fields: Any) -> tuple[str, ...]:
    """The permissions that an error body names, wherever it does, each once."""
    texts = [text for text in _texts(fields.get("messageParams")) if "permission" not in text.lower()]
    found = [name for text in [*texts, str(fields.get("message", ""))] for name in _PERMISSION.findall(text[:2_000])]
    return tuple(dict.fromkeys(found))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _text(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST]).strip()
