"""Writes what sources deliver to a file, a line a frame, as `stitch`, `import` and the file source read it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

from journeymap.errors import InputError
from journeymap.model.time import Millis
from journeymap.source.base import Source


def record_to(out: Path, sources: Sequence[Source], progress: Callable[[int], None] = lambda _: None) -> int:
    """Append frames to `out` until all sources have ended, or SIGTERM or Ctrl-C comes; how many there were.

    A frame that contains line breaks is written on one line: between JSON's values, line breaks are only space.
    `progress` hears how many there are, from the receiving threads.
    """
    written = 0
    lock = threading.Lock()
    failures: list[BaseException] = []
    with out.open("ab", buffering=0) as file:

        def deliver(frame: bytes, _: Millis) -> None:
            nonlocal written
            line = frame.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
            with lock:
                try:
                    while line:  # a disk that is nearly full takes a part
                        line = line[file.write(line) :]
                except OSError as error:
                    raise InputError(f"cannot write {out}: {error.strerror}") from error
                written += 1
                progress(written)

        def receive(source: Source) -> None:
            try:
                source.run(deliver)
            except BaseException as error:  # noqa: BLE001  it is raised again in the thread that waits
                failures.append(error)
                stop(0, None)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            for source in sources:
                source.stop()

        threads = [threading.Thread(target=receive, args=(source,), daemon=True) for source in sources]
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.2)  # in slices, so that signals are heard
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    if failures:
        raise failures[0]
    return written
