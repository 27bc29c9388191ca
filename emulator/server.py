"""A threaded HTTP/1.1 server with keep-alive around the WSGI application, which can cut or hold a connection.

Our own because the ready ones either close after every answer or do not let an application give none; and because a
survey of 1,000 projects shares two cores with it, so the request head is read by hand.
"""

import contextlib
import io
import select
import socket
import socketserver
import struct
import sys
import threading
import time
import traceback
from typing import Any
from urllib.parse import unquote_to_bytes

from emulator.app import App
from emulator.faults import ConnectionCut, Hang

MAX_HEAD = 65_536
IDLE = 120.0


class BadRequest(Exception):
    """The peer does not speak HTTP/1.x as we read it."""


class Handler(socketserver.StreamRequestHandler):
    server: "EmulatorServer"
    disable_nagle_algorithm = True
    timeout = IDLE
    rbufsize = 65_536

    def handle(self) -> None:
        self.server.app.counters.connected(1)
        try:
            while self._one():
                pass
        except (ConnectionError, TimeoutError, BrokenPipeError):
            pass  # the client went away: nothing to answer
        except BadRequest as error:
            head = f"HTTP/1.1 400 Bad Request\r\nContent-Length: {len(str(error))}\r\nConnection: close\r\n\r\n"
            self._send(f"{head}{error}".encode())
        finally:
            self.server.app.counters.connected(-1)

    def _one(self) -> bool:
        """Serve one request; False when the connection ends."""
        line = self.rfile.readline(MAX_HEAD)
        if not line.strip():
            return bool(line)
        environ, keep = self._environ(line)
        answer: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answer["head"] = status, headers

        try:
            chunks = self.server.app(environ, start_response)
            body = b"".join(chunks)
        except ConnectionCut:
            self._cut()
            return False
        except Hang as hang:
            self._hold(hang.seconds)
            return False
        status, headers = answer["head"]
        head = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in headers]
        if not keep:
            head.append("Connection: close")
        data = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
        self._send(data if environ["REQUEST_METHOD"] == "HEAD" else data + body)
        return keep

    def _environ(self, line: bytes) -> tuple[dict[str, Any], bool]:
        parts = line.decode("latin-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest("malformed request line")
        method, target, protocol = parts
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query,
            "SERVER_PROTOCOL": protocol, "SCRIPT_NAME": "", "REMOTE_ADDR": self.client_address[0],
            "SERVER_NAME": self.server.server_address[0], "SERVER_PORT": str(self.server.server_address[1]),
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr, "wsgi.multithread": True,
            "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
        self._headers(environ)
        if "HTTP_TRANSFER_ENCODING" in environ:
            raise BadRequest("send a Content-Length")
        if environ.get("HTTP_EXPECT", "").lower() == "100-continue":
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = environ.get("CONTENT_LENGTH", "") or "0"
        if not length.isdigit():
            raise BadRequest("malformed Content-Length")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError("the client went away in the middle of its request")
        environ["wsgi.input"] = io.BytesIO(body)
        return environ, protocol == "HTTP/1.1" and environ.get("HTTP_CONNECTION", "").lower() != "close"

    def _headers(self, environ: dict[str, Any]) -> None:
        for _ in range(200):
            line = self.rfile.readline(MAX_HEAD).strip()
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.strip()
        raise BadRequest("too many headers")

    def _send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def _cut(self) -> None:
        """Close with a reset, as a dying load balancer does: no linger, no polite end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _hold(self, seconds: float) -> None:
        """Say nothing until the client gives up, the time is over, or the server stops."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.server.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.2)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # the connection was cut on purpose
            super().finish()


class EmulatorServer(socketserver.ThreadingTCPServer):
    """`with EmulatorServer(app, port=0) as server:` then `serve_forever()`; `url` says where it listens."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, app: App, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.app = app
        self.stopping = threading.Event()
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def shutdown(self) -> None:
        self.stopping.set()
        super().shutdown()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A bug in the emulator: say it, and answer nothing (the client sees a cut connection)."""
        print(
            f"emulator: a request from {client_address} failed:\n{traceback.format_exc()}", file=sys.stderr, flush=True
        )
