"""A client that dies while it sends is no request and no error: the emulator goes on as if it had never come."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.support.emulated import Emulated
from tests.system.servers import listening


def test_half_a_request_is_forgotten(capfd: pytest.CaptureFixture[str]) -> None:
    emulated = Emulated()
    token = emulated.token()
    project = emulated.request("GET", "/identity/v3/projects")["projects"][0]["id"]
    emulated.forget()
    with listening(emulated.app) as url:
        place = urlsplit(url)
        head = (
            f"PUT /network/v2.0/quotas/{project} HTTP/1.1\r\nHost: {place.netloc}\r\nX-Auth-Token: {token}\r\n"
            'Content-Type: application/json\r\nContent-Length: 26\r\n\r\n{"quota": {"po'
        )
        with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as line:
            line.sendall(head.encode())
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1) == b""
    assert emulated.writes() == []
    assert capfd.readouterr().err == ""
