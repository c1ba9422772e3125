"""Where a command writes its result: standard output, or a file that appears whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from journeymap.errors import InputError


@contextlib.contextmanager
def opened(out: Path | None) -> Iterator[BinaryIO]:
    """A stream to write to. A file is written beside its place and renamed once all is written; None or `-` is standard
    output. Raises InputError where it cannot be written."""
    if out is None or str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        if out.exists() and not out.is_file():
            # A device or a pipe has no place beside it; a directory says so itself.
            with out.open("wb") as stream:
                yield stream
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}") from error
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.chmod(out.stat().st_mode & 0o777 if out.exists() else 0o666 & ~_umask())
        part.replace(out)
    except OSError as error:
        raise InputError(f"cannot write {out}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
