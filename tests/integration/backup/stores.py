"""Stores that are backed up and restored."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import zstandard

from journeymap.model.journey import Journey
from journeymap.runtime import restore
from journeymap.runtime.backup import BackedUp, back_up
from journeymap.runtime.restore import Restored, Wanted
from journeymap.runtime.work import Progress
from journeymap.stitch.options import StitchOptions
from journeymap.store.base import SCHEMA_VERSION
from journeymap.store.disk import open_disk_reader
from tests.property.soups import OPTIONS
from tests.stored import ENVIRONMENT, SOURCE, journeys_in, rows_in, work_on

from ..rebuild.stores import NOW, OTHERS


def backed_up(path: Path, out: Path, tell: Callable[[Progress], None] = lambda _: None, **more: Any) -> BackedUp:
    return back_up(work_on(path, OPTIONS, tell), out, NOW, force=more.get("force", False))


def restored(
    path: Path, file: Path, tell: Callable[[Progress], None] = lambda _: None, reserve: int = 0, **wanted: Any
) -> Restored:
    return restore.restore(work_on(path, OTHERS[0], tell, reserve=reserve), file, Wanted(**wanted), NOW)


def in_store(path: Path, options: StitchOptions = OPTIONS) -> list[Journey]:
    with contextlib.closing(open_disk_reader(path)) as reader:
        found = journeys_in(reader, options)
        assert {journey.journey_id for journey in found} == rows_in(reader).keys()
        return found


LOCKS = {"writer.lock", "replacement.lock"}


# -- files that only look like backups --------------------------------------------------------------------------------


def archive(out: Path, held: dict[str, bytes], members: Iterable[Any] | None = None, **more: Any) -> None:
    """A backup by hand: `members` are `(name or TarInfo, content)`, those of `held` unless given; `more` goes into the
    manifest."""
    manifest = {
        "format": 1,
        "journeymap": "9.9",
        "schema_version": SCHEMA_VERSION,
        "source": SOURCE,
        "environment": more.pop("environment", "dev" if more.get("source") == "simulator" else ENVIRONMENT),
        "made_at": NOW,
        "position": 0,
        "files": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in held.items()
        ],
        **more,
    }
    head = json.dumps(manifest).encode()
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        with tarfile.open(fileobj=stream, mode="w|") as tar:
            for name, data in [("manifest.json", head), *(held.items() if members is None else members)]:
                member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
