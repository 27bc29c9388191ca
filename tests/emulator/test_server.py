"""The server on a real socket: keep-alive, cut and held connections, signals, and the official command."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emulator.app import create_app
from emulator.clock import parse_time
from emulator.server import EmulatorServer
from emulator.world import WorldConfig

LOGIN = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "admin", "domain": {"id": "default"}, "password": "emulator-secret"}},
        },
        "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
    }
}


@pytest.fixture
def server():
    app = create_app(WorldConfig(projects=3, servers=10, volumes=5, now=parse_time("2026-11-20T08:00:00Z"), speed=0))
    with EmulatorServer(app) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def connection(server):
    made = http.client.HTTPConnection(*server.server_address, timeout=10)
    yield made
    made.close()


def ask(connection, method, path, body=None, token=None):
    headers = {"X-Auth-Token": token} if token else {}
    connection.request(method, path, body=json.dumps(body) if body else None, headers=headers)
    reply = connection.getresponse()
    return reply, reply.read()


def test_many_requests_share_one_connection(server, connection):
    reply, _ = ask(connection, "POST", "/identity/v3/auth/tokens", LOGIN)
    token = reply.headers["X-Subject-Token"]
    for path in ("/identity/v3/projects", "/compute/v2.1/servers", "/nowhere", "/volume/v3/volumes"):
        reply, body = ask(connection, "GET", path, token=token)
        assert reply.headers["Content-Length"] == str(len(body))
        assert json.loads(body)
        assert reply.headers.get("Connection") is None
    reply, body = ask(connection, "HEAD", "/identity/v3/projects", token=token)
    assert (reply.status, body) == (200, b"")
    assert server.app.counters.public()["connections_peak"] == 1


def test_a_cut_connection_gives_no_answer_and_the_next_one_works(server, connection):
    server.app.add_fault({"path": "/identity/v3$", "cut": True, "times": 1})
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        ask(connection, "GET", "/identity/v3")
    connection.close()
    assert ask(connection, "GET", "/identity/v3")[0].status == 200


def test_a_hanging_request_ends_with_the_callers_patience(server):
    server.app.add_fault({"path": "/identity/v3$", "hang": True})
    impatient = http.client.HTTPConnection(*server.server_address, timeout=0.2)
    with pytest.raises(TimeoutError):
        ask(impatient, "GET", "/identity/v3")
    impatient.close()


def test_other_requests_are_answered_while_one_waits(server):
    server.app.add_fault({"path": "/identity/v3$", "hang": True})
    waiting = socket.create_connection(server.server_address)
    waiting.sendall(b"GET /identity/v3 HTTP/1.1\r\nHost: x\r\n\r\n")
    other = http.client.HTTPConnection(*server.server_address, timeout=10)
    assert ask(other, "GET", "/compute")[0].status == 200
    other.close()
    waiting.close()


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
def test_a_malformed_request_is_a_400(server, raw):
    with socket.create_connection(server.server_address, timeout=10) as plain:
        plain.sendall(raw)
        assert plain.recv(100).startswith(b"HTTP/1.1 400 ")


def test_bodies_that_are_no_json_are_refused(server, connection):
    connection.request("POST", "/identity/v3/auth/tokens", body="{nonsense")
    reply = connection.getresponse()
    assert (reply.status, "error" in json.loads(reply.read())) == (400, True)


def test_two_dozen_threads_make_two_dozen_projects(server):
    first = http.client.HTTPConnection(*server.server_address, timeout=20)
    token = ask(first, "POST", "/identity/v3/auth/tokens", LOGIN)[0].headers["X-Subject-Token"]
    statuses = []

    def make(number):
        own = http.client.HTTPConnection(*server.server_address, timeout=20)
        body = {"project": {"name": f"p{number % 12}", "domain_id": "default"}}
        statuses.append(ask(own, "POST", "/identity/v3/projects", body, token)[0].status)
        own.close()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201] * 12 + [409] * 12
    names = [p["name"] for p in json.loads(ask(first, "GET", "/identity/v3/projects", token=token)[1])["projects"]]
    assert len(names) == len(set(names)) == 5 + 12
    first.close()


@pytest.fixture
def process(tmp_path):
    """`python -m emulator` on a free port: (its URL, the process, its state file)."""
    file = tmp_path / "emulator.json"
    command = [
        sys.executable,
        "-m",
        "emulator",
        "--port",
        "0",
        "--projects",
        "4",
        "--servers",
        "12",
        "--state",
        str(file),
    ]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    line = running.stdout.readline()
    yield line.split()[1].removesuffix("/identity/v3"), running, file
    running.kill()
    running.wait()
    running.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_the_state_is_kept(process, number):
    url, running, file = process
    made = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    token = ask(made, "POST", "/identity/v3/auth/tokens", LOGIN)[0].headers["X-Subject-Token"]
    body = {"project": {"name": "kept", "domain_id": "default"}}
    assert ask(made, "POST", "/identity/v3/projects", body, token)[0].status == 201
    made.close()
    running.send_signal(number)
    assert running.wait(timeout=10) == 0
    assert [row["name"] for row in json.loads(file.read_text())["tables"]["projects"].values()] == ["kept"]


@pytest.mark.slow
def test_a_taken_port_is_a_clear_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [sys.executable, "-m", "emulator", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1:" in done.stderr
    assert "Traceback" not in done.stderr


def openstack_command() -> str | None:
    """The official client: $OPENSTACK_COMMAND, beside this Python, or on PATH."""
    beside = Path(sys.executable).with_name("openstack")
    return os.environ.get("OPENSTACK_COMMAND") or (str(beside) if beside.exists() else shutil.which("openstack"))


@pytest.mark.slow
@pytest.mark.skipif(openstack_command() is None, reason="no `openstack` command: pip install python-openstackclient")
def test_the_official_command_works(process, tmp_path):
    """Token, projects, users, roles, quotas, servers, volumes, networks, usage, limits: as an operator types them."""
    url, _, _ = process
    (tmp_path / "clouds.yaml").write_text(read(url, "/control/clouds.yaml"))
    environ = {**os.environ, "OS_CLOUD": "emulator", "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml")}
    done = run_script(
        (
            "token issue -f json", "project create --tag tenantry demo -f json", "project list -f json",
            "user create --password pw --email ada@campus.example ada -f json", "user list -f json",
            "role list -f json",
            "role add --user ada --project demo member", "role assignment list --project demo --names -f json",
            "quota set --cores 4 --volumes 3 --networks 2 demo", "quota show demo -f json",
            "network create net -f json", "network list -f json", "volume create --size 2 disk -f json",
            "volume list -f json", "server create --flavor m1.tiny --image debian-12 --nic none box -f json",
            "server show box -f json", "server list --all-projects -f json", "server delete box",
            "usage list --start 2020-01-01 -f json", "limits show --absolute -f json", "flavor list -f json",
        ),
        environ,
    )  # fmt: skip
    for wrong in ("Client Error", "Server Error", "HTTP 4", "HTTP 5", "Traceback", "not an openstack command"):
        assert wrong not in done.stdout + done.stderr, done.stdout + done.stderr
    for right in (
        '"member"',
        "ada@Default",
        '"demo"',
        "m1.tiny",
        '"disk"',
        '"net"',
        '"tenantry"',
        '"box"',
        "max_total_cores",
    ):
        assert right in done.stdout, (right, done.stdout[-3000:], done.stderr[-2000:])
    counted = json.loads(read(url, "/control/counters"))
    assert counted["unknown"] == 0, counted["calls"]


def run_script(commands: tuple[str, ...], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """All of them in one process: starting the client takes longer than what it asks."""
    given = "\n".join(commands)
    return subprocess.run(
        [openstack_command()], input=given, capture_output=True, text=True, env=environ, check=False, timeout=240
    )


def read(url: str, path: str) -> str:
    made = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    made.request("GET", path)
    text = made.getresponse().read().decode()
    made.close()
    return text
