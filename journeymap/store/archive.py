"""A backup as a file: a tar, packed with zstd, of a store's database and of the journal behind its position.

The manifest comes first and says what follows, each with its length and SHA-256. So a file that is no backup, or one that
is of no use here, is known before anything is unpacked; and whatever an archive holds beside what it announces, in
another length or under another name, is refused. Packing and unpacking take a few megabytes of memory however large it is.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Annotated, BinaryIO, Final, Protocol, Self

import msgspec
import zstandard

from journeymap import __version__
from journeymap.errors import InputError
from journeymap.model.time import Millis
from journeymap.store.cache import DATABASE
from journeymap.store.copying import Tell

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MANIFEST_BYTES: Final = 1 << 20
CHUNK: Final = 1 << 20

_NAME: Final = re.compile(rf"{re.escape(DATABASE)}|journal/[0-9A-Za-z][0-9A-Za-z._-]{{0,99}}")
_PLAIN: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_LEVEL: Final = 3


class Packed(msgspec.Struct, frozen=True):
    """A file in a backup."""

    name: str
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds. `position` is the journal offset of its store; what its journal holds lies behind it.

    `schema_version`, `source` and `environment` are those of the store, `journeymap` is the release that made the backup
    and `made_at` when, by its clock.
    """

    format: int
    journeymap: str
    schema_version: int
    source: str
    environment: str
    made_at: Millis
    position: int
    files: list[Packed] = []

    @property
    def bytes(self) -> int:
        """How long all its files are together."""
        return sum(file.bytes for file in self.files)


def pack(directory: Path, manifest: Manifest, out: BinaryIO, tell: Tell) -> None:
    """Write the database and the journal in `directory` as a backup; nobody may be writing to them. `manifest` need not name
    the files."""
    paths = [directory / DATABASE, *sorted((directory / "journal").iterdir())]
    files = [Packed(str(path.relative_to(directory)), path.stat().st_size, _sum(path)) for path in paths]
    manifest = msgspec.structs.replace(manifest, files=files)
    head = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    packed = 0

    def advance(size: int) -> None:
        nonlocal packed
        packed += size
        tell(packed, manifest.bytes)

    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with (
        packer.stream_writer(out, closefd=False) as stream,
        # GNU's form says any length in the header itself; others need an extra member for eight gigabytes.
        tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        tar.addfile(_member(MANIFEST, len(head), manifest.made_at), io.BytesIO(head))
        for path, file in zip(paths, files, strict=True):
            with _Watched(path, advance) as source:
                tar.addfile(_member(file.name, file.bytes, manifest.made_at), source)


class Archive:
    """A backup that is read, from its beginning to its end once. Raises `InputError`, in a line, for whatever is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot open {path}: {error.strerror}") from error
        try:
            self._begin()
        except BaseException:
            self._file.close()
            raise

    def _begin(self) -> None:
        with self._damage():
            self._stream = _Forward(zstandard.ZstdDecompressor().stream_reader(self._file))
            self._tar = tarfile.TarFile(fileobj=self._stream)  # type: ignore[arg-type]  # as much of a file as it needs
            member = self._tar.next()
            if member is None or member.name != MANIFEST or not _is_plain(member) or member.size > MANIFEST_BYTES:
                raise ValueError("it does not begin with a manifest")
            self.manifest = msgspec.json.decode(self._stream.read(member.size), type=Manifest)
            if self.manifest.format != FORMAT:
                raise ValueError(f"its form is {self.manifest.format}, this Journeymap reads {FORMAT}")
            names = [file.name for file in self.manifest.files]
            if DATABASE not in names or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
                raise ValueError("its manifest names other files than those of a store")

    def extract(self, into: Path, tell: Tell) -> None:
        """Unpack all into the new directory `into`. Where anything is not as the manifest says, this is not to be used."""
        announced = {file.name: file for file in self.manifest.files}
        into.mkdir(mode=0o700)
        (into / "journal").mkdir(mode=0o700)
        done = 0
        with self._damage():
            while (member := self._tar.next()) is not None:
                file = announced.pop(member.name, None)
                if file is None or not _is_plain(member) or member.size != file.bytes:
                    raise ValueError(f"{member.name!r} is not what its manifest says")
                digest = hashlib.sha256()
                with _created(into / file.name) as target:
                    while (left := file.bytes - target.tell()) > 0:
                        data = self._stream.read(min(left, CHUNK))
                        if not data:
                            raise ValueError("it is cut short")
                        digest.update(data)
                        target.write(data)
                        done += len(data)
                        tell(done, self.manifest.bytes)
                if digest.hexdigest() != file.sha256:
                    raise ValueError(f"the checksum of {file.name} is wrong")
            if announced:
                raise ValueError(f"it is cut short: {', '.join(announced)} missing")

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        # OverflowError and RecursionError come out of tarfile where headers are made up.
        except (
            zstandard.ZstdError,
            tarfile.TarError,
            msgspec.MsgspecError,
            ValueError,
            EOFError,
            OverflowError,
            RecursionError,
        ) as error:
            raise InputError(f"{self.path} is no backup, or is damaged: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def describe(schema_version: int, source: str, environment: str, now: Millis, position: int) -> Manifest:
    """The manifest of a backup that is made now."""
    return Manifest(FORMAT, __version__, schema_version, source, environment, now, position)


class _Reader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class _Forward:
    """As much of a file as tarfile needs to read one without going back.

    It reads no more than a chunk at once: a made-up header could otherwise announce any length and have it read into memory.
    """

    def __init__(self, stream: _Reader) -> None:
        self._stream = stream
        self._at = 0

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, unless it ends before."""
        if not 0 <= size <= CHUNK:
            raise tarfile.ReadError("a header is too long")
        data = bytearray()
        while len(data) < size and (part := self._stream.read(size - len(data))):
            data += part
        self._at += len(data)
        return bytes(data)

    def tell(self) -> int:
        return self._at

    def seek(self, place: int) -> None:
        if place < self._at:
            raise tarfile.ReadError("it does not go on")
        while self._at < place and self.read(min(place - self._at, CHUNK)):
            pass


class _Watched(io.FileIO):
    """A file that is read, and tells how much was."""

    def __init__(self, path: Path, advance: Callable[[int], None]) -> None:
        super().__init__(path)
        self._advance = advance

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._advance(len(data))
        return data


def _member(name: str, size: int, made_at: Millis) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, made_at // 1000
    return member


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in _PLAIN and not member.issparse()


def _created(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
