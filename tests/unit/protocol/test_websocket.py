import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from journeymap.protocol.frames import MAX_FRAME
from journeymap.protocol.websocket import CLOSE, PING, TEXT, MessageReader, read_close

FRAMES = st.one_of(
    st.binary(max_size=400).map(lambda data: [Frame(Opcode.TEXT, data)]),
    st.integers(60_000, 70_000).map(lambda size: [Frame(Opcode.BINARY, b"x" * size)]),
    st.binary(max_size=125).map(lambda data: [Frame(Opcode.PING, data)]),
    st.lists(st.binary(max_size=20), min_size=2, max_size=4).map(
        lambda parts: [
            Frame(Opcode.TEXT if index == 0 else Opcode.CONT, part, fin=index == len(parts) - 1)
            for index, part in enumerate(parts)
        ]
    ),
)


def wire(*frames: Frame) -> bytes:
    return b"".join(frame.serialize(mask=False) for frame in frames)


@given(st.lists(FRAMES, max_size=6), st.lists(st.integers(1, 70_000), max_size=8))
def test_reads_what_another_implementation_writes(messages, cuts):
    expected = [(int(frames[0].opcode), b"".join(bytes(frame.data) for frame in frames)) for frames in messages]
    data = wire(*(frame for frames in messages for frame in frames))
    reader, found = MessageReader(), []
    for cut in cuts:
        found += reader.feed(data[:cut])
        data = data[cut:]
    found += reader.feed(data)
    assert found == expected


def test_byte_by_byte_with_a_ping_between_fragments():
    data = wire(Frame(Opcode.TEXT, b"ab", fin=False), Frame(Opcode.PING, b"p"), Frame(Opcode.CONT, b"", fin=True))
    reader, found = MessageReader(), []
    for byte in data:
        found += reader.feed(bytes([byte]))
    assert found == [(PING, b"p"), (TEXT, b"ab")]


@pytest.mark.parametrize("parts", [1, 3])
def test_a_long_message_is_cut_and_the_next_is_whole(parts):
    limit = 1_000
    reader = MessageReader(limit)
    frames = [
        Frame(Opcode.TEXT if index == 0 else Opcode.CONT, b"x" * 2_000, fin=index == parts - 1)
        for index in range(parts)
    ]
    found = []
    data = wire(*frames, Frame(Opcode.TEXT, b"next"))
    for at in range(0, len(data), 77):
        found += reader.feed(data[at : at + 77])
    assert found == [(TEXT, b"x" * (limit + 1)), (TEXT, b"next")]


def test_the_longest_usable_message_is_whole():
    reader = MessageReader()
    assert reader.feed(wire(Frame(Opcode.TEXT, b"x" * MAX_FRAME))) == [(TEXT, b"x" * MAX_FRAME)]


def test_a_claim_of_many_bytes_takes_no_memory():
    reader = MessageReader()
    assert reader.feed(b"\x81\x7f" + b"\x7f" + b"\xff" * 7 + b"abc") == []
    assert reader.feed(b"d" * 1_000) == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x81\x01\x02\x03\x04y",  # masked, as only a client may
        b"\xf1\x00",  # reserved bits
        b"\x83\x00",  # unknown kinds
        b"\x8b\x00",
        b"\x80\x00",  # a continuation of nothing
        wire(Frame(Opcode.TEXT, b"", fin=False), Frame(Opcode.TEXT, b"")),
        b"\x09\x00",  # a ping in fragments
        b"\x89\x7e\x00\x7e",  # a ping that is too long
    ],
)
def test_a_breach_ends_the_connection(data):
    reader = MessageReader()
    messages = reader.feed(data)
    assert messages[-1][0] == CLOSE
    assert read_close(messages[-1][1])[0] == 1002
    assert reader.feed(wire(Frame(Opcode.TEXT, b"late"))) == []


@given(st.lists(st.binary(max_size=200)))
def test_never_raises(chunks):
    reader = MessageReader()
    for chunk in chunks:
        for opcode, payload in reader.feed(chunk):
            if opcode == CLOSE:
                read_close(payload)


def test_close():
    assert read_close(b"") == (1005, "")
    assert read_close(b"\x11\x31expired") == (4401, "expired")
    assert read_close(b"\x11\x31\xff") == (4401, "\ufffd")
