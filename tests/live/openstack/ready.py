"""Waits until each named thing is ready; exit code 1 with the last reason when it takes longer than two minutes.

ready.py port:13306 http:15000 agents hypervisor
    port:N      something listens
    http:N      an API answers (200, 300 or 401: it is up and wants a token or a version)
    agents      a compute host and a volume backend reported after this start
    hypervisor  Nova lists one, so that an instance can be scheduled
"""

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable

from admin import connect
from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

PATIENCE_SECONDS = 120


def listens(port: str) -> str:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5):
        return ""


def answers(port: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request("GET", "/")
    status = connection.getresponse().status
    return "" if status in (200, 300, 401) else f"answers {status}"


def agents(_: str) -> str:
    """A service row stays "up" for a minute after its service ended, so only a report newer than this start counts."""
    cloud, start = connect(), os.environ["LAB_START"]
    reports = {
        "nova-compute": cloud.compute.services(binary="nova-compute"),
        "cinder-volume": cloud.block_storage.services(binary="cinder-volume"),
    }
    missing = [
        name
        for name, services in reports.items()
        if not any(service.state == "up" and (service.updated_at or "") >= start for service in services)
    ]
    return f"no report yet from {missing}" if missing else ""


def hypervisor(_: str) -> str:
    return "" if list(connect().compute.hypervisors()) else "no hypervisor is listed"


CHECKS: dict[str, Callable[[str], str]] = {"port": listens, "http": answers, "agents": agents, "hypervisor": hypervisor}
NOT_YET = (OSError, http.client.HTTPException, SDKException, ClientException)


def wait_for(thing: str) -> None:
    kind, _, argument = thing.partition(":")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            reason = CHECKS[kind](argument)
        except NOT_YET as error:
            reason = repr(error)
        if not reason:
            return
        if time.monotonic() > deadline:
            sys.exit(f"{thing} is not ready after {PATIENCE_SECONDS} s: {reason}")
        time.sleep(0.2)


if __name__ == "__main__":
    for thing in sys.argv[1:]:
        wait_for(thing)
