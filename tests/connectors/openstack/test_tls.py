"""A certificate nobody trusts, and one whose authority was pasted into the entry: a real server, a real handshake."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors import registry
from connectors.contract import Connector, Health
from connectors.errors import Misconfigured, Unauthorized
from connectors.types import Endpoint


class Refuses(BaseHTTPRequestHandler):
    """Answers every sign-in with 401, as Keystone does: who gets that far has trusted the certificate."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b'{"error": {"code": 401, "message": "The request you have made requires authentication."}}'
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None: ...


@dataclass(frozen=True)
class Server:
    url: str
    pem: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("tls")
    pem = _certificate(folder)
    httpd = HTTPServer(("127.0.0.1", 0), Refuses)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield Server(f"https://127.0.0.1:{httpd.server_port}/v3", pem)
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def _certificate(folder: Path) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return pem.decode()


def connect(server: Server, **more: Any) -> Connector:
    auth = {
        "auth_url": server.url,
        "username": "tenantry",
        "password": "wrong-one",
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return registry.connect(Endpoint("openstack", "tls", {"auth": auth} | more, sleep=lambda seconds: None))


def test_an_untrusted_certificate_is_a_setting_to_mend(server: Server) -> None:
    connector = connect(server)
    assert isinstance(connector, Health)
    with pytest.raises(Misconfigured) as caught:
        connector.probe()
    connector.close()
    assert "not trusted" in caught.value.message
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.verbatim
    assert "cacert_pem" in caught.value.remedy
    assert sum(connector.calls().values()) == 1


@pytest.mark.parametrize("how", ["its authority", "no check"])
def test_a_trusted_one_gets_as_far_as_the_sign_in(server: Server, how: str) -> None:
    more = {"cacert_pem": server.pem} if how == "its authority" else {"verify": False}
    connector = connect(server, **more)
    assert isinstance(connector, Health)
    with pytest.raises(Unauthorized):
        connector.probe()
    connector.close()


def test_a_certificate_that_is_none_is_told_before_any_call(server: Server) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        connect(server, cacert_pem="-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")
