"""Files that only look like backups."""

from __future__ import annotations

import contextlib
import random
import shutil
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import zstandard

from journeymap.errors import (
    InputError,
    StoreFullError,
    StoreMismatchError,
)
from journeymap.store.archive import Archive
from journeymap.store.base import SCHEMA_VERSION
from tests.integration.backup.stores import LOCKS, archive, backed_up, in_store, restored
from tests.property.soups import OPTIONS

from ..process import received_journeys


def linked(name: str, kind: bytes, to: str = "/etc/passwd") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, to
    return member


DATA = b"x" * 10_000


HOSTILE: dict[str, tuple[dict[str, bytes], list[Any] | None, dict[str, Any]]] = {
    "a name that climbs": ({"cache.db": DATA}, [("cache.db", DATA), ("../../evil", b"evil")], {}),
    "a name that climbs, announced": ({"cache.db": DATA, "journal/../../../evil": b"evil"}, None, {}),
    "a name that begins at the root": ({"cache.db": DATA, "/tmp/evil": b"evil"}, None, {}),
    "a name with a zero byte": ({"cache.db": DATA, "journal/a\0b": b"evil"}, None, {}),
    "a name that hides": ({"cache.db": DATA, "journal/.hidden": b"evil"}, None, {}),
    "a symbolic link": ({"cache.db": b""}, [(linked("cache.db", tarfile.SYMTYPE), b"")], {}),
    "a hard link": ({"cache.db": b""}, [(linked("cache.db", tarfile.LNKTYPE), b"")], {}),
    "a device": ({"cache.db": b""}, [(linked("cache.db", tarfile.CHRTYPE), b"")], {}),
    "a directory": ({"cache.db": b""}, [(linked("cache.db", tarfile.DIRTYPE), b"")], {}),
    "a sparse file": ({"cache.db": b""}, [(linked("cache.db", tarfile.GNUTYPE_SPARSE), b"")], {}),
    "a link in the place of the journal": (
        {"cache.db": DATA, "journal/a": b"evil"},
        [(linked("journal", tarfile.SYMTYPE, "/tmp"), b""), ("journal/a", b"evil"), ("cache.db", DATA)],
        {},
    ),
    "a longer file": ({"cache.db": DATA}, [("cache.db", DATA + b"x")], {}),
    "a shorter file": ({"cache.db": DATA}, [("cache.db", DATA[1:])], {}),
    "another content": ({"cache.db": DATA}, [("cache.db", b"y" + DATA[1:])], {}),
    "a file too many": ({"cache.db": DATA}, [("cache.db", DATA), ("journal/a", b"")], {}),
    "a file twice": ({"cache.db": DATA}, [("cache.db", DATA), ("cache.db", DATA)], {}),
    "a file too few": ({"cache.db": DATA, "journal/a": b"a"}, [("cache.db", DATA)], {}),
    "no database": ({"journal/a": b"a"}, None, {}),
    "no database that is one": ({"cache.db": DATA}, None, {}),
    "no files": ({}, None, {}),
    "another form": ({"cache.db": DATA}, None, {"format": 2}),
    "a manifest of odd things": ({"cache.db": DATA}, None, {"files": [{"name": 7}]}),
    "a negative length": (
        {"cache.db": DATA},
        None,
        {"files": [{"name": "cache.db", "bytes": -1, "sha256": ""}]},
    ),
    "a name twice": (
        {"cache.db": DATA},
        None,
        {"files": [{"name": "cache.db", "bytes": 10_000, "sha256": ""}] * 2},
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_made_up_backup_is_refused_in_one_line(what: str, out: Path, elsewhere: Path, tmp_path: Path) -> None:
    files, members, more = HOSTILE[what]
    archive(out, files, members, **more)
    with pytest.raises(InputError, match=r"is no backup, or is damaged: .") as refused:
        restored(elsewhere, out)
    assert "\n" not in str(refused.value)
    assert_untouched(elsewhere)
    assert list(tmp_path.rglob("*evil*")) == []


def assert_untouched(elsewhere: Path) -> None:
    found = list(elsewhere.iterdir()) if elsewhere.exists() else []
    assert {file.name for file in found} <= LOCKS


def bomb(kind: bytes, size: int) -> bytes:
    """The header of an extra member that announces so many bytes, which tarfile reads into memory at once."""
    member = tarfile.TarInfo("bomb")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
@pytest.mark.parametrize("place", ["first", "behind the manifest"])
def test_a_header_that_announces_gigabytes_is_not_read(kind: bytes, place: str, out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA})
    with out.open("rb") as file:
        plain = zstandard.ZstdDecompressor().stream_reader(file).read()
    cut = 0 if place == "first" else 512 + 512 * -(-int(plain[124:135], 8) // 512)
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        stream.write(plain[:cut] + bomb(kind, 200_000_000))
        for _ in range(200):
            stream.write(b"9" * 1_000_000)
        stream.write(plain[cut:])
    assert out.stat().st_size < 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="a header is too long"):
            restored(elsewhere, out)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert_untouched(elsewhere)


def test_a_chain_of_headers_is_not_followed_for_ever(out: Path, elsewhere: Path) -> None:
    with out.open("wb") as file, zstandard.ZstdCompressor().stream_writer(file) as stream:
        for _ in range(5_000):
            stream.write(bomb(tarfile.GNUTYPE_LONGNAME, 512) + b"n" * 512)
    with pytest.raises(InputError, match="is no backup"):
        restored(elsewhere, out)
    assert_untouched(elsewhere)


def test_a_backup_that_announces_more_than_there_is_space_for(out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA}, files=[{"name": "cache.db", "bytes": 2**62, "sha256": ""}])
    with pytest.raises(StoreFullError, match="not enough space"):
        restored(elsewhere, out)
    assert_untouched(elsewhere)


def test_a_backup_of_a_later_release_is_refused(out: Path, elsewhere: Path) -> None:
    archive(out, {"cache.db": DATA}, schema_version=SCHEMA_VERSION + 1)
    with pytest.raises(StoreMismatchError, match=r"reads up to 2: restore it with Journeymap 9\.9, which made it"):
        restored(elsewhere, out)
    assert not elsewhere.exists()


def test_a_store_that_is_not_the_one_announced_is_refused(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    into = out.parent / "unpacked"
    with Archive(out) as found:
        position = found.manifest.position
        found.extract(into, lambda done, total: None)
    data = (into / "cache.db").read_bytes()
    for more in ({"source": "other"}, {"environment": "prod"}, {"position": position + 1}):
        archive(out, {"cache.db": data}, **{"position": position, **more})
        with pytest.raises(InputError, match="is no backup, or is damaged"):
            restored(elsewhere, out)
        assert_untouched(elsewhere)


def test_a_backup_that_is_cut_or_changed_anywhere_is_refused(path: Path, out: Path, elsewhere: Path) -> None:
    backed_up(path, out)
    data = out.read_bytes()
    chance = random.Random(5)
    broken = [data[: chance.randrange(len(data))] for _ in range(25)] + [b"", data[:-1], data[:4]]
    for _ in range(25):
        place = chance.randrange(len(data))
        broken.append(data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :])
    for content_of_it in broken:
        out.write_bytes(content_of_it)
        with contextlib.suppress(InputError):
            # A few bits and the last bytes are of no consequence: then it must be the same.
            restored(elsewhere, out)
            assert in_store(elsewhere) == received_journeys(path, OPTIONS)
            assert len(data) - len(content_of_it) <= 8
            shutil.rmtree(elsewhere)
            continue
        assert_untouched(elsewhere)
