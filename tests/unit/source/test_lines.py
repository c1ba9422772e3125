import gzip
import io
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journeymap.errors import InputError
from journeymap.source.lines import read_lines

LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")), max_size=30)


def expected(lines: list[bytes]) -> list[tuple[int, bytes]]:
    return [(number, line) for number, line in enumerate(lines, 1) if line and not line.isspace()]


@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans(), st.booleans())
def test_plain_or_gzip_with_or_without_last_line_end(tmp_path_factory, lines, end, last, zipped):
    path = tmp_path_factory.getbasetemp() / "lines"
    data = end.join(lines) + (end if last else b"")
    if data.startswith((b"\xef\xbb\xbf", b"\x1f\x8b")):
        return
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert list(read_lines(path)) == expected(lines)


def lines_until_error(path, words: str) -> list[bytes]:
    found = []
    with pytest.raises(InputError, match=words):
        found.extend(line for _, line in read_lines(path))
    return found


def test_blank_lines_are_passed_over_and_counted(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfa\n\n  \t\r\nb\r\n\nc")
    assert list(read_lines(str(path))) == [(1, b"a"), (4, b"b"), (6, b"c")]


def test_members_of_gzip_follow_each_other_and_may_be_padded(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n") + b"\0" * 512)
    assert [line for _, line in read_lines(path)] == [b"a", b"bc", b"d"]


def test_truncated_gzip_gives_what_was_readable_and_then_says_so(tmp_path):
    path = tmp_path / "f.gz"
    lines = [b'{"n":%d}' % (number * 7919 % 100_003) for number in range(50_000)]
    packed = gzip.compress(b"\n".join(lines))
    path.write_bytes(packed[: len(packed) // 2])
    found = lines_until_error(path, "truncated")
    assert len(found) > 10_000
    assert found[:-1] == lines[: len(found) - 1]


@pytest.mark.parametrize("cut", [2, 3, 9, 12])
def test_gzip_cut_in_its_header(tmp_path, cut):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"a\n" * 9)[:cut])
    with pytest.raises(InputError, match="truncated"):
        list(read_lines(path))


def test_damaged_gzip(tmp_path):
    path = tmp_path / "f.gz"
    path.write_bytes(gzip.compress(b"a\nb\n") + b"rubbish")
    assert lines_until_error(path, "damaged") == [b"a", b"b"]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_line_without_end_fills_no_memory(tmp_path, zipped):
    path = tmp_path / "f"
    data = b"a\n" + b"x" * 30_000_000 + b"\nb\n"
    path.write_bytes(zlib.compress(data, wbits=31) if zipped else data)
    del data
    tracemalloc.start()
    found = [(number, len(line)) for number, line in read_lines(path)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(1, 1), (2, (1 << 20) + 1), (3, 1)]
    assert peak < 8_000_000


@pytest.mark.parametrize("limit", [1, 5])
def test_the_limit_is_exact(tmp_path, limit):
    path = tmp_path / "f"
    path.write_bytes(b"x" * limit + b"\r\n" + b"x" * (limit + 1) + b"\n" + b"x" * (limit + 2))
    assert [len(line) for _, line in read_lines(path, limit)] == [limit, limit + 1, limit + 1]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(b"a\nb"))))
    assert list(read_lines("-")) == [(1, b"a"), (2, b"b")]


@pytest.mark.parametrize("name", ["missing", ".", "with\0nul"])
def test_what_cannot_be_read(tmp_path, name):
    with pytest.raises(InputError):
        list(read_lines(f"{tmp_path}/{name}"))


def test_an_empty_file_has_no_lines(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"")
    assert list(read_lines(path)) == []
