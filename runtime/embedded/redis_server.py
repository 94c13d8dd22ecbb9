"""A server that speaks the Redis protocol, in a thread of the supervisor: no Redis has to be installed."""

import threading

from fakeredis import TcpFakeServer


class _Server(TcpFakeServer):
    # Without these a pipeline waits for delayed ACKs, a burst of connections is refused, and a client that
    # stays connected keeps the process from ending.
    disable_nagle_algorithm = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address)
        self.daemon_threads = True


class EmbeddedRedis:
    """Answers on the loopback interface only: passwords would be accepted and not enforced.

    Holds nothing that must survive; it has no EVAL, INFO or CONFIG GET.
    """

    def __init__(self, port: int = 0) -> None:
        """Raises OSError if the port is taken; 0 takes a free one."""
        self._server = _Server(("127.0.0.1", port))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._serve, name="redis", daemon=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)
