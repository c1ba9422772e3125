"""What could not be used of recorded events: one line a kind of mistake, with its count and where it first occurs."""

from __future__ import annotations

from typing import Final

PHRASES: Final = {
    "too-large": "larger than 1 MiB",
    "not-utf8": "not UTF-8",
    "not-json": "not JSON",
    "not-an-event": "not a JSON object",
    "too-deep": "nested too deep",
    "no-type": "without a type",
    "no-interaction": "without payload.interactionId",
    "no-customers": "without payload.fromCustomerId or payload.toCustomerId",
    "bad-timestamp": "with a timestamp that is missing, unreadable or outside the years 2000 to 2100",
    "no-conversation": "that name no conversation",
    "unknown-topic": "of a topic that tells nothing of conversations",
    "control": "about a connection, not about a conversation",
    "nothing-told": "that say nothing that happened, or not when",
    "wrong-columns": "with more fields than the header has columns",
    "not-csv": "not CSV",
}
"""How a line with each reason for rejection is described."""

SHOWN: Final = 3
"""How many line numbers are named."""


class Mistakes:
    """Counts rejections by file and reason, in bounded memory."""

    def __init__(self) -> None:
        self.total = 0
        self._kinds: dict[tuple[str, str], tuple[int, list[int]]] = {}
        self._notes: list[str] = []

    def add(self, path: str, unit: str, number: int, reason: str) -> str:
        """Count one; answers with a line of its own that says what it is."""
        self.total += 1
        phrase = PHRASES.get(reason, reason)
        count, numbers = self._kinds.get((path, f"{unit}s {phrase}"), (0, []))
        if len(numbers) <= SHOWN and number not in numbers:
            numbers.append(number)
        self._kinds[path, f"{unit}s {phrase}"] = (count + 1, numbers)
        return f"{path}: {unit} {number} is {phrase}".replace(" is with", " is one with")

    def note(self, text: str) -> None:
        """Keep a remark on a file as a whole."""
        self._notes.append(text)

    def lines(self) -> list[str]:
        """The report; empty if nothing was wrong."""
        report = []
        for (path, kind), (count, numbers) in self._kinds.items():
            unit, _, phrase = kind.partition(" ")
            named = ", ".join(str(number) for number in numbers[:SHOWN]) + (", …" if len(numbers) > SHOWN else "")
            some = unit if count > 1 else unit.removesuffix("s")
            places = unit if len(numbers) > 1 else unit.removesuffix("s")
            report.append(f"{path}: {count:,} {some} {phrase} ({places} {named})")
        return report + self._notes
