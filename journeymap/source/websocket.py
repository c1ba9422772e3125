"""One WebSocket: websocket-client opens it and sends on it, our reader receives in bounded memory.

websocket-client keeps a whole message in memory, whatever its length, and has no setting for it; it also asks the
kernel three times for each frame. So receiving is `protocol.websocket.MessageReader`'s.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import websocket

from journeymap.errors import TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import parse_retry_after
from journeymap.protocol.websocket import CLOSE, PING, PONG, TEXT, Message, MessageReader
from journeymap.source.dialing import dial
from journeymap.source.explaining import explain
from journeymap.source.proxy import address_of
from journeymap.source.transport import break_off

SETTING: Final = "REGION or STREAM_URL"
"""What the address comes from."""

_CHUNK: Final = 1 << 16
_SEND_TIMEOUT: Final = 0.2
"""Seconds. What we send is tiny: a socket that does not take it has a peer that does not read."""


class HandshakeRefusal(Exception):  # noqa: N818 - an answer of the server, not an error of ours
    """The server answered the handshake with an HTTP status."""

    def __init__(self, status: int, retry_after: Millis | None) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.retry_after = retry_after


class StreamSocket:
    """A WebSocket client for one thread at a time; `abort` may come from any other."""

    def __init__(self, url: str, timeout: Millis, tls: ssl.SSLContext, clock: Callable[[], Millis]) -> None:
        self._url = url
        self._where = urlsplit(url).netloc
        self._timeout = timeout / SECOND
        self._tls = tls
        self._clock = clock
        self._reader = MessageReader()
        self._aborted = False
        self._raw: socket.socket | None = None
        # It is used by one thread, and what it receives is validated by the decoder.
        self._ws: Any = websocket.WebSocket(  # only partly typed
            enable_multithread=False, skip_utf8_validation=True, sslopt={"context": tls}
        )

    def open(self, token: str = "", in_query: bool = False) -> None:
        """Connect and shake hands, with a token where one is needed. Raises `HandshakeRefusal` or `TransientSourceError`."""
        url = f"{self._url}?access_token={quote(token, safe='')}" if in_query else self._url
        try:
            self._ws.connect(
                url,
                header=[] if in_query or not token else [f"Authorization: Bearer {token}"],
                timeout=self._timeout,
                suppress_origin=True,
                redirect_limit=0,  # a redirect would carry the token away
                socket=self._connected(),
            )
        except websocket.WebSocketBadStatusException as error:
            self.close()
            headers = error.resp_headers or {}
            retry_after = parse_retry_after(headers.get("retry-after"), self._clock())
            raise HandshakeRefusal(error.status_code, retry_after) from None
        except TransientSourceError:
            self.close()
            raise
        except (websocket.WebSocketException, OSError, ValueError) as error:
            self.close()
            raise TransientSourceError(self._explained(error)) from None
        self._ws.settimeout(_SEND_TIMEOUT)
        if self._aborted:
            self.close()
            raise TransientSourceError("given up")

    def _connected(self) -> socket.socket:
        """A connection made here: websocket-client would look for a proxy by rules of its own."""
        self._raw = connected = dial(self._url, self._timeout, SETTING)
        if urlsplit(self._url).scheme == "ws":
            return connected
        host, _ = address_of(self._url)
        # Known before it shakes hands, so that `abort` reaches it meanwhile.
        self._raw = secure = self._tls.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
        secure.do_handshake()
        return secure

    def _explained(self, error: Exception) -> str:
        if isinstance(error, websocket.WebSocketTimeoutException):
            error = TimeoutError()
        if isinstance(error, websocket.WebSocketConnectionClosedException):
            return f"{self._where} closed the connection during the handshake; check {SETTING}"
        return explain(error, self._where, setting=SETTING)

    def fileno(self) -> int:
        """For a selector."""
        return int(self._ws.fileno())

    def receive(self) -> list[Message] | None:
        """What has come, read once (call it when the socket is readable); None when the connection is lost."""
        connected = self._ws.sock
        if connected is None:
            return None
        try:
            data = connected.recv(_CHUNK)
            if isinstance(connected, ssl.SSLSocket):
                while waiting := connected.pending():  # decrypted already: no selector will tell of it
                    data += connected.recv(waiting)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return []
        except OSError:
            return None
        return self._reader.feed(data) if data else None

    def say(self, text: bytes) -> None:
        """Send a text frame."""
        self._send(text, TEXT)

    def ping(self, payload: bytes) -> None:
        """Ask for a sign of life, which will bring this back."""
        self._send(payload, PING)

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._send(payload, PONG)

    def _send(self, payload: bytes, opcode: int) -> None:
        try:
            self._ws.send(payload, opcode)
        except (websocket.WebSocketException, OSError):
            # Part of a frame may have gone out, so nothing may follow. The reading side will see the end.
            self.abort()

    def close(self, code: int = 1000) -> None:
        """Say goodbye without waiting for an answer, and give the socket back. Calling it again does nothing."""
        if self._ws.connected:
            self._send(code.to_bytes(2, "big"), CLOSE)
        self._ws.shutdown()
        if self._raw is not None:
            self._raw.close()
            self._raw = None

    def abort(self) -> None:
        """End it under another thread's hands, also while it is being opened."""
        self._aborted = True
        break_off(self._ws.sock or self._raw)
