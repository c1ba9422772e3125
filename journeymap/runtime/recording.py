"""Writes frames to a file, a line a frame, as `stitch`, `import` and the file source read it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from journeymap.errors import InputError
from journeymap.journal.replay import Following, is_written
from journeymap.model.time import Millis
from journeymap.source.base import Source

LOOK_INTERVAL: Final = 0.1
"""Seconds after which a journal is looked at again."""

WRITER_LOOKS: Final = 50
"""After so many looks in vain, whether anybody still writes the journal is looked at too."""


class Recording:
    """A file that frames are appended to. From any thread; `frames` counts them, and `progress` hears of each.

    A frame that contains line breaks is written on one line: between JSON's values, line breaks are only space.
    """

    def __init__(self, out: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        self._out = out
        self._progress = progress
        self._lock = threading.Lock()
        self._file: BinaryIO = out.open("ab", buffering=0)
        self.frames = 0

    def write(self, frame: bytes) -> None:
        """Append a frame. Raises InputError where the file cannot be written."""
        line = frame.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
        with self._lock:
            try:
                while line:  # a disk that is nearly full takes a part
                    line = line[self._file.write(line) :]
            except OSError as error:
                raise InputError(f"cannot write {self._out}: {error.strerror}") from error
            self.frames += 1
            self._progress(self.frames)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def record_sources(recording: Recording, sources: Sequence[Source]) -> None:
    """Record what sources deliver until all have ended, or SIGTERM or Ctrl-C comes."""
    failures: list[BaseException] = []

    def deliver(frame: bytes, _: Millis) -> None:
        recording.write(frame)

    def receive(source: Source) -> None:
        try:
            source.run(deliver)
        except BaseException as error:  # noqa: BLE001  it is raised again in the thread that waits
            failures.append(error)
            stop()

    def stop() -> None:
        for source in sources:
            source.stop()

    threads = [threading.Thread(target=receive, args=(source,), daemon=True) for source in sources]
    with _signals(stop):
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.2)  # in slices, so that signals are heard
    if failures:
        raise failures[0]


def record_journal(
    recording: Recording, directory: Path, start: int, say: Callable[[str], None], *, follow: bool
) -> None:
    """Record what the journal in `directory` holds behind the offset `start`; with `follow`, and what comes, until SIGTERM or
    Ctrl-C.

    `say` hears, in a line, of what is missing and of a writer that comes or goes. Raises JournalError.
    """
    following = Following(directory, start)
    stopped = threading.Event()
    writer = Writer(directory)
    told = 0

    def say_losses() -> None:
        nonlocal told
        lost = following.missing + following.damage.bytes
        if lost > told:
            say(
                f"{following.missing:,} bytes of the journal had been deleted before they were recorded, and"
                f" {following.damage.bytes:,} could not be read"
            )
        told = lost

    def look_again() -> bool:
        say_losses()
        if not follow or stopped.wait(LOOK_INTERVAL):
            return False
        if (news := writer.look()) is not None:
            say(news)
        return True

    with _signals(stopped.set):
        for record in following.follow(look_again):
            recording.write(record.data)
            if stopped.is_set():
                break
    say_losses()


class Writer:
    """Watches whether a journal is still written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._looks = 0
        self._writes = True

    def look(self) -> str | None:
        """What has changed, as a line for people. It is not looked at each time, since that takes the writer's lock."""
        self._looks += 1
        if self._looks % WRITER_LOOKS:
            return None
        before, self._writes = self._writes, is_written(self._directory)
        if before == self._writes:
            return None
        return (
            "ingest is running again" if self._writes else "ingest has ended: nothing comes until it is started again"
        )


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on SIGTERM and Ctrl-C."""

    def handle(*_: Any) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
