"""Servers of one project: which run, stopping and starting them. Facts 5.2.

Nova works asynchronously: a stop is accepted at once and seen some seconds later, so it is polled for a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import Conflict, NotFound
from connectors.openstack.pages import listed, one_of
from connectors.openstack.session import OpenStack, at
from connectors.openstack.versions import Service
from connectors.types import Applied, Change, ChangeKind, FoundWork, Outcome

# Seconds between looks after an order: about half a minute in all.
LOOKS = (1.0, 2.0, 4.0, 8.0, 16.0)
_UNDER_WAY = {"powering-off": False, "powering-on": True}


def servers_of(cloud: OpenStack, project: str) -> list[FoundWork]:
    pages = listed(cloud, Service.COMPUTE, "/servers/detail", "servers", all_tenants="1", project_id=project)
    return [
        FoundWork(project, str(row["id"]), str(row["name"]), running(row))
        for page in pages
        for row in page
        # A cloud that ignores the filter must not make us stop other people's servers.
        if str(row["tenant_id"]) == project
    ]


def running(server: Mapping[str, Any]) -> bool:
    """Whether it can be stopped: an order under way counts as done."""
    task = str(server.get("OS-EXT-STS:task_state") or "")
    if task in _UNDER_WAY:
        return _UNDER_WAY[task]
    return str(server.get("OS-EXT-STS:vm_state") or server["status"]).lower() == "active"


def apply(cloud: OpenStack, change: Change) -> Applied:
    stop = change.kind is ChangeKind.WORK_STOP
    try:
        server = _show(cloud, change.native_id)
    except NotFound:
        if not stop:
            raise
        return Applied(Outcome.ALREADY, change.native_id, "gone", "The server is gone from the cloud.")
    if running(server) is not stop:
        return Applied(Outcome.ALREADY, change.native_id, _word(server))
    if stop and str(server["tenant_id"]) != change.tenancy_native_id:
        raise Conflict("The server belongs to another project now.")
    return _order(cloud, change.native_id, stop)


def _order(cloud: OpenStack, server_id: str, stop: bool) -> Applied:
    order: dict[str, None] = {"os-stop" if stop else "os-start": None}
    try:
        cloud.post(Service.COMPUTE, at("/servers/{}/action", server_id), order)
    except Conflict:
        server = _show(cloud, server_id)
        if running(server) is not stop:
            return Applied(Outcome.ALREADY, server_id, _word(server))
        raise
    for pause in LOOKS:
        server = _show(cloud, server_id)
        if running(server) is not stop and not server.get("OS-EXT-STS:task_state"):
            return Applied(Outcome.DONE, server_id, _word(server))
        cloud.wait(pause)
    server = _show(cloud, server_id)
    if running(server) is not stop:
        return Applied(Outcome.DONE, server_id, _word(server), "The cloud accepted the order and is still at it.")
    return Applied(Outcome.INEFFECTIVE, server_id, _word(server), "The cloud accepted the order and did nothing.")


def _show(cloud: OpenStack, server_id: str) -> Mapping[str, Any]:
    return one_of(cloud.get(Service.COMPUTE, at("/servers/{}", server_id)), "server")


def _word(server: Mapping[str, Any]) -> str:
    return "running" if running(server) else "stopped"
