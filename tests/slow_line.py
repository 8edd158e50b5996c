"""A line to a server on this machine that is as slow as one to another city: each way takes half of a round trip."""

import heapq
import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self


class SlowLine:
    """Forwards connections to a local port, each byte late by `round_trip / 2` seconds. A context manager.

    Args:
        port: of the server
        round_trip: seconds from a question to its answer, as long as the server takes no time
    """

    def __init__(self, port: int, round_trip: float) -> None:
        self._server, self._late = port, round_trip / 2
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.questions = 0  # messages to the server so far, each a round trip unless its client does not wait
        self._to_server: set[socket.socket] = set()
        self._under_way: list[tuple[float, int, socket.socket, bytes]] = []
        self._over = False
        self._thread = threading.Thread(target=self._forward, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over = True
        self._thread.join()

    def _forward(self) -> None:
        count = 0
        while not self._over:
            wait = min(0.1, self._under_way[0][0] - time.monotonic()) if self._under_way else 0.1
            for key, _ in self._selector.select(max(0.0, wait)):
                if key.fileobj is self._listener:
                    self._connect()
                    continue
                try:
                    content = key.fileobj.recv(65536)  # type: ignore[union-attr]
                except OSError:
                    content = b""
                if not content:
                    self._selector.unregister(key.fileobj)
                count += 1
                self.questions += key.data in self._to_server
                heapq.heappush(self._under_way, (time.monotonic() + self._late, count, key.data, content))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, _, to, content = heapq.heappop(self._under_way)
                try:
                    if content:
                        to.sendall(content)
                    else:
                        to.shutdown(socket.SHUT_WR)
                except OSError:
                    pass  # that side has gone
        for key in list(self._selector.get_map().values()):
            self._selector.unregister(key.fileobj)
            for end in (key.fileobj, key.data):
                if isinstance(end, socket.socket):
                    end.close()
        self._selector.close()

    def _connect(self) -> None:
        client = self._listener.accept()[0]
        server = socket.create_connection(("127.0.0.1", self._server))
        self._to_server.add(server)
        for end, other in ((client, server), (server, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, other)
