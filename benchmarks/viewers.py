"""Viewers without a browser: each puts the page's own question every 500 ms over HTTP, and keeps what it is answered as the
page does.

Started with `python -m benchmarks.viewers`; what they are to do comes as one line of JSON on standard input, and every further
line there is answered with a line of what has happened since the last. `Viewers` is the other end of that.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from benchmarks.processes import CHECKOUT
from benchmarks.views import VIEWS
from journeymap.simulator.people import QUEUES

EVERY = 0.5
COUNTS_EVERY = 2
"""Ticks from one question for facets and overview to the next."""

SETTLED = 10
"""Ticks for which the rows keep their order, as on the page."""

BUSY, QUIET, OTHER = (QUEUES[place].name for place in (1, 4, 0))
ASKED: tuple[dict[str, Any], ...] = (
    *VIEWS,
    {"text": OTHER[:4].lower(), "sort": "wait"},
    {"queues": [BUSY, QUIET], "channels": ["voice", "chat"], "sort": "wait"},
    {"dispositions": [QUEUES[1].outcomes[0], QUEUES[0].outcomes[0]]},
    {"offset": 300},
    {"text": "9", "channels": ["voice"], "states": ["ACTIVE"], "queues": [BUSY]},
)
"""What differs from viewer to viewer: filters, orders, groups, and where they have scrolled to."""


class Seen(msgspec.Struct):
    """What became of the questions: how long each answer took (ms), how many had something new, the bytes of these, and what was
    not as it must be (the first of each kind)."""

    took: list[float] = []
    answers: int = 0
    bytes: int = 0
    wrong: list[str] = []


class Viewer:
    """A page without a screen. `question` is one that the real page asked, `view` what this viewer wants other than that."""

    def __init__(self, question: dict[str, Any], view: dict[str, Any]) -> None:
        self._question = {**question, "watched": [], "left": 0, **view}
        self._overview = question.get("overview") is not None
        self._ticks = self._settled = 0
        self._version = self._at = self._counted = self._listed = 0
        self._order: list[str] = []
        self._tags: dict[str, int] = {}
        self._hold: list[str] | None = None

    def ask(self, now: int) -> dict[str, Any]:
        """The next question."""
        counting = self._ticks % COUNTS_EVERY == 0
        rests = self._ticks - self._settled < SETTLED and self._listed > len(self._order) > 0
        hold = self._order if rests else None
        anew = hold != self._hold  # another question than the last
        self._hold = hold
        self._ticks += 1
        return {
            **self._question, "version": 0 if anew else self._version, "at": 0 if anew else self._at, "hold": hold,
            "have": list(self._tags.items()), "facets": counting, "counted": self._counted if counting else 0,
            "overview": span(now) if counting and self._overview else None,
        }  # fmt: skip

    def take(self, answer: dict[str, Any]) -> str:
        """Keep what came; what is wrong with it, if anything."""
        before, self._version, self._at = self._version, answer["version"], answer["now"]
        self._counted = answer["counted"] or self._counted
        self._listed = answer["listed"]
        tags = self._tags | {row[0]: row[1] for row in answer["rows"]}
        self._order = answer["order"]
        self._tags = {journey: tags[journey] for journey in self._order if journey in tags}
        if self._hold is None:
            self._settled = self._ticks
        self._hold = None if self._hold is None else self._order
        if len(self._tags) < len(self._order):
            return "a row in the order never came"
        if self._version < before:
            return "the version went back"
        return "" if answer["matched"] <= answer["total"] else "more match than there are"


def span(now: int) -> list[int]:
    """Half an hour until now in 200 bins, as the page asks for its overview."""
    length = 30 * 60_000 // 200
    end = now - now % length + length
    return [end - 200 * length, end, 200]


class Crowd:
    """All of them, in one event loop."""

    def __init__(self, client: httpx.AsyncClient, call: dict[str, Any], count: int) -> None:
        self._client = client
        self._call = call
        self.viewers = [Viewer(call["inputs"][0]["value"], ASKED[place % len(ASKED)]) for place in range(count)]
        self.seen = Seen()

    async def look_on(self) -> None:
        """Ask and ask, one viewer a little after the other."""
        lives = (self._live(viewer, place * EVERY / len(self.viewers)) for place, viewer in enumerate(self.viewers))
        await asyncio.gather(*lives)

    async def _live(self, viewer: Viewer, begin: float) -> None:
        await asyncio.sleep(begin)
        due = time.perf_counter()
        while True:
            await self.tick(viewer)
            # After a slow answer the page goes on from there, and does not catch up.
            due = max(due + EVERY, time.perf_counter())
            await asyncio.sleep(due - time.perf_counter())

    async def tick(self, viewer: Viewer) -> None:
        place = {**self._call["inputs"][0], "value": viewer.ask(time.time_ns() // 1_000_000)}
        body = msgspec.json.encode({**self._call, "inputs": [place]})
        began = time.perf_counter()
        try:
            response = await self._client.post("/_dash-update-component", content=body)
        except httpx.HTTPError as error:
            self._complain(f"no answer: {type(error).__name__}")
            return
        self.seen.took.append((time.perf_counter() - began) * 1000)
        if response.status_code == 200:
            self.seen.answers += 1
            self.seen.bytes += response.num_bytes_downloaded
            self._complain(viewer.take(msgspec.json.decode(response.content)["response"]["answer"]["data"]))
        elif response.status_code != 204:
            self._complain(f"answered with status {response.status_code}")

    def _complain(self, of: str) -> None:
        if of and of not in self.seen.wrong:
            self.seen.wrong.append(of)


async def serve() -> None:
    """Be the viewers until standard input ends."""
    loop = asyncio.get_running_loop()
    told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    headers = {"content-type": "application/json", "origin": told["address"]}
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=told["address"], headers=headers, limits=limits, timeout=60) as client:
        crowd = Crowd(client, told["call"], told["count"])
        looking = asyncio.create_task(crowd.look_on())
        while await loop.run_in_executor(None, sys.stdin.readline):
            seen, crowd.seen = crowd.seen, Seen()
            if looking.done():
                seen.wrong.append(f"the viewers broke down: {looking.exception()!r}")
            print(msgspec.json.encode(seen).decode(), flush=True)
        looking.cancel()


class Viewers:
    """So many viewers, in a process of their own. `call` is the body of a question that the real page asked."""

    def __init__(self, address: str, call: dict[str, Any], count: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.viewers"], cwd=CHECKOUT, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._say(json.dumps({"address": address, "call": call, "count": count}))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def seen(self) -> Seen:
        """What has happened since the last time."""
        self._say("")
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the viewers' process has ended")
        return msgspec.json.decode(line, type=Seen)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")


if __name__ == "__main__":
    asyncio.run(serve())
