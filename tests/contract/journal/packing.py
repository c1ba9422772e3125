"""Journals whose segments are packed, looked at from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from journeymap.journal import packed
from journeymap.journal.journal import Journal


@contextlib.contextmanager
def opened(path: Path, segment_bytes: int = 2_000) -> Iterator[Journal]:
    with contextlib.closing(Journal.open(path, segment_bytes=segment_bytes)) as journal:
        yield journal


def names(path: Path) -> list[str]:
    return sorted(file.name.partition(".")[2] for file in path.iterdir() if "journal" in file.name)


def blocks_of(data: bytes) -> list[int]:
    """Where the blocks of a packed segment begin."""
    return [at - 8 for at in range(len(data)) if data[at : at + 4] == packed.TAG]


KILLED_WHILE_PACKING = """
import os, sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from journeymap.journal import packed
from journeymap.journal.journal import Journal
packed.BLOCK = 400
journal = Journal.open(Path(sys.argv[2]), segment_bytes=2_000)
left = int(sys.argv[3])
def watch(event, _):
    global left
    if event in {"open", "os.rename", "os.remove", "os.utime"}:
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
for number in range(20):
    print(journal.append("s", b"x" * 300, number), flush=True)
sys.addaudithook(watch)
for number in range(20, 40):
    print(journal.append("s", b"x" * 300, number), flush=True)
    journal.pack()
print("done")
"""
