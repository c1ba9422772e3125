"""What came, as text that may be shown and kept: bytes that are no text as escapes, what could be a secret masked.

It errs on the side of masking: the text may be anything, JSON or not, cut off, or JSON inside of JSON.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

MASKED: Final = "******"

REPEATED: Final = 8
"""A secret of at least so many characters is masked wherever else it stands too."""

_ZEROS: Final = 4  # with a zero byte among so many, it is UTF-16 or UTF-32
_ESCAPED: Final = re.compile(r"\\u00([2-7][0-9a-fA-F])")

_KEY: Final = re.compile(
    r"""(?:token|secret|passw(?:or)?d|passphrase|pwd|credential|signature|authori[sz]ation|cookie
    |(?:api|access|private)[\s_.-]?key)[\w.-]*           # of the key, its telling part and what follows
    \\*["']?\s*
    (?:,\s*\\*["']value\\*["']\s*:|=>|[:=>]|%3[AaDd])    # {"name": key, "value": …}; <key>; in a query string
    \s*""",
    re.IGNORECASE | re.VERBOSE,
)
_WHOLE_LINE: Final = re.compile(r"authori|cookie", re.IGNORECASE)  # their values have blanks, commas and quotes
_QUOTE: Final = re.compile(r"(\\*)([\"'])")
_TOKEN: Final = re.compile(r"(\\*)([\"'])|([\[{])|([\]}])")
_LITERAL: Final = re.compile(r"-?\d[\d.eE+-]*(?=[\s,}\]]|$)|(?:true|false|null)\b")
_IN_QUERY: Final = re.compile(r"[^\s&\"'<>;]*")
_IN_ELEMENT: Final = re.compile(r"[^<]*")
_IN_LINE: Final = re.compile(r"[^\r\n\"]*")
_TO_LINE_END: Final = re.compile(r"[^\r\n]*")
_TELLS_NOTHING: Final = frozenset({"", "null", "true", "false"})

_ANYWHERE: Final = (
    re.compile(r"(?P<before>)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?P<before>(?:bearer|basic|digest|negotiate)(?:\s|%20|\+)+)[^\s\"'\\,;&<>}\]]{6,}", re.IGNORECASE),
    re.compile(r"(?P<before>)eyJ[\w-]{5,}(?:\.[\w-]*){0,4}"),  # a JSON web token
    re.compile(r"(?P<before>://)[^\s/@\"'<>]*(?=@)"),  # user and password in an address
)


def sample_text(beginning: bytes, *, cut: bool = False) -> str:
    """The text of what began so. `cut` says that there was more."""
    return mask_secrets(_printable(beginning, cut))


def mask_secrets(text: str) -> str:
    """The text without what could be a secret: values of keys that say so, access tokens, passwords in addresses."""
    parts = []
    secrets = set()
    at = 0
    while key := _KEY.search(text, at):
        start, end = _value(text, key)
        value = text[start:end]
        parts.append(text[at:start])
        if value in _TELLS_NOTHING:
            parts.append(value)
        else:
            parts.append(MASKED)
            if len(value) >= REPEATED:
                secrets.add(value)
        at = end
    text = "".join([*parts, text[at:]])
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASKED)
    for pattern in _ANYWHERE:
        text = pattern.sub(rf"\g<before>{MASKED}", text)
    return text


def _printable(raw: bytes, cut: bool) -> str:
    """Bytes as text with escapes for what is not UTF-8 or cannot be seen; plain characters that were escaped resolved."""
    if raw.count(0) * _ZEROS > len(raw):
        raw = raw.replace(b"\0", b"")
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    text = decoder.decode(raw, final=not cut)
    text = _ESCAPED.sub(lambda match: _resolved(chr(int(match[1], 16))), text)
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode() for char in text
    )


def _resolved(char: str) -> str:
    # A quotation mark stays one of the text around it: .NET writes JSON inside of JSON so.
    return f"\\{char}" if char in "\"'\\" else char if char.isprintable() else "\\x7f"


def _value(text: str, key: re.Match[str]) -> tuple[int, int]:
    """Where the value behind a key begins and ends, without its quotation marks. What does not end is all the rest."""
    at = key.end()
    quote = _QUOTE.match(text, at)
    if quote:
        closing = _closing(text, quote)
        return quote.end(), len(text) if closing is None else closing.end() - len(quote.group())
    if text[at : at + 1] in ("[", "{"):
        return at, _container_end(text, at)
    bare = _LITERAL.match(text, at)
    if not bare:
        separator = key.group().rstrip()
        if _WHOLE_LINE.search(separator):
            bare = _TO_LINE_END.match(text, at)
        elif separator.endswith(">") and not separator.endswith("=>"):
            bare = _IN_ELEMENT.match(text, at)
        elif separator.endswith((":", "=>")):
            bare = _IN_LINE.match(text, at)
        else:
            bare = _IN_QUERY.match(text, at)
    assert bare is not None, "these match nothing at all too"
    return at, bare.end()


def _closing(text: str, opening: re.Match[str]) -> re.Match[str] | None:
    """The quotation mark that ends the string which this one begins, at any depth of JSON inside of JSON."""
    depth = len(opening[1])
    for quote in _QUOTE.finditer(text, opening.end()):
        # Each level outside doubles the backslashes and adds one before the mark: what is escaped has another number.
        if quote[2] == opening[2] and len(quote[1]) % (2 * depth + 2) == depth:
            return quote
    return None


def _container_end(text: str, at: int) -> int:
    """Where the array or object ends that begins at `at`."""
    depth = 0
    while token := _TOKEN.search(text, at):
        at = token.end()
        if token[2]:
            closing = _closing(text, token)
            if closing is None:
                break
            at = closing.end()
        else:
            depth += 1 if token[3] else -1
            if depth == 0:
                return at
    return len(text)
