"""A short run of `benchmarks.reconnects`, and proof that it would see what it looks for."""

import socket
import threading

import pytest

from benchmarks.reconnects import COMMON, MEMORY_MOST, OBJECTS_MOST, Held, measure


@pytest.mark.slow
def test_nothing_stays_behind(tmp_path):
    before, after, done = measure(tmp_path, 80, seed=5, warm_up=30)
    assert after.grown(before) == []
    assert done.total() == 80
    assert len(done) > len(COMMON) / 2


def test_what_stays_behind_is_seen():
    before = Held.now()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    kept = [[index] for index in range(2 * OBJECTS_MOST)]
    with socket.create_server(("127.0.0.1", 0)):
        grown = Held.now().grown(before)
    stop.set()
    thread.join()
    assert set(grown) >= {"threads", "descriptors", "objects"}
    del kept
    assert Held(1, 1, 1, MEMORY_MOST + 2).grown(Held(1, 1, 1, 1)) == ["memory"]
