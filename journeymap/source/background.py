"""Runs blocking calls beside the thread that reads the stream, each lane in its own order."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class Background:
    """Lanes of jobs. A lane's jobs run one after another; its thread is there only while there is work."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._lanes: dict[str, deque[Job]] = {}
        self._threads: dict[str, threading.Thread] = {}

    def submit(self, lane: str, job: Job) -> None:
        """Run this after what the lane already has. A job deals with its own errors."""
        with self._lock:
            self._lanes.setdefault(lane, deque()).append(job)
            if lane not in self._threads:
                thread = threading.Thread(target=self._work, args=(lane,), name=f"{self._name}-{lane}", daemon=True)
                self._threads[lane] = thread
                thread.start()

    def _work(self, lane: str) -> None:
        while True:
            with self._lock:
                jobs = self._lanes[lane]
                if not jobs:
                    del self._lanes[lane], self._threads[lane]
                    return
                job = jobs.popleft()
            job()

    def join(self, seconds: float) -> bool:
        """Wait for all lanes to be done; whether they are. What hangs ends by its own time limit."""
        until = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)
