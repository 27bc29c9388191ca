"""A project with one member, and an instance's life in it: what the recordings and the tests are made from.

The waiting is by asking again: OpenStack tells nobody when an instance has changed.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

import openstack
from openstack import exceptions
from openstack.connection import Connection

PATIENCE_SECONDS = 120


def until(what: str, reached: Callable[[], bool]) -> None:
    """Ask until it is true. Raises TimeoutError naming what was waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not seen within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.5)


class Member:
    """A new project and a new user with the role member in it; `discard` removes both and what is in the project."""

    def __init__(self, admin: Connection, *, name: str) -> None:
        mark = secrets.token_hex(4)
        self.admin = admin
        self.password = secrets.token_urlsafe(12)
        self.project = admin.identity.create_project(name=f"{name}-{mark}", domain_id="default")
        self.user = admin.identity.create_user(name=f"{name}-{mark}", domain_id="default", password=self.password)
        self.role = admin.identity.find_role("member")
        admin.identity.assign_project_role_to_user(self.project, self.user, self.role)
        self.cloud = self.log_in()

    def log_in(self) -> Connection:
        """A session of the member's own, with its password."""
        return openstack.connect(
            auth_url=self.admin.config.auth["auth_url"],
            username=self.user.name,
            password=self.password,
            project_id=self.project.id,
            user_domain_id="default",
            region_name=self.admin.config.region_name,
            load_yaml_config=False,
            load_envvars=False,
        )

    def make_network(self) -> Any:
        """A network with a router to the outside, so that a floating IP can be had."""
        network = self.cloud.network
        inside = network.create_network(name="inside")
        subnet = network.create_subnet(network_id=inside.id, cidr="10.7.0.0/24", ip_version=4, name="inside")
        outside = {"network_id": network.find_network("public").id}
        router = network.create_router(name="out", external_gateway_info=outside)
        network.add_interface_to_router(router, subnet.id)
        return inside

    def boot(self, *, name: str, flavor: str = "m1.test", network: Any = None) -> Any:
        """An ACTIVE instance; without a network it boots in about half the time."""
        compute = self.cloud.compute
        server = compute.create_server(
            name=name,
            image_id=self.cloud.image.find_image("tiny").id,
            flavor_id=compute.find_flavor(flavor).id,
            networks=[{"uuid": network.id}] if network else "none",
        )
        self.await_status(server, "ACTIVE")
        return server

    def await_status(self, server: Any, status: str) -> Any:
        def reached() -> bool:
            now = self.cloud.compute.get_server(server.id)
            if now.status == "ERROR":
                raise RuntimeError(f"the instance failed: {now.fault}")
            return bool(now.status == status)

        until(f"{server.name} is {status}", reached)
        return self.cloud.compute.get_server(server.id)

    def resize(self, server: Any, flavor: str) -> Any:
        compute = self.cloud.compute
        compute.resize_server(server, compute.find_flavor(flavor).id)
        self.await_status(server, "VERIFY_RESIZE")
        compute.confirm_server_resize(server)
        return self.await_status(server, "ACTIVE")

    def delete(self, server: Any) -> None:
        self.admin.compute.delete_server(server, ignore_missing=True)
        until(f"{server.name} is gone", lambda: self.is_gone(server))

    def is_gone(self, server: Any) -> bool:
        try:
            self.admin.compute.get_server(server.id)
        except exceptions.NotFoundException:
            return True
        return False

    def discard(self) -> None:
        """Delete what the project holds, then the user and the project. The administrator does it: a test may have
        taken the member's role or the project away.
        """
        compute, storage = self.admin.compute, self.admin.block_storage
        everywhere: dict[str, Any] = {"all_projects": True, "project_id": self.project.id}
        for server in list(compute.servers(**everywhere)):
            self.delete(server)
        for snapshot in list(storage.snapshots(**everywhere)):
            storage.delete_snapshot(snapshot)
        until("the snapshots are gone", lambda: not list(storage.snapshots(**everywhere)))
        for volume in list(storage.volumes(**everywhere)):
            storage.delete_volume(volume)
        until("the volumes are gone", lambda: not list(storage.volumes(**everywhere)))
        self.discard_network()
        self.admin.identity.delete_user(self.user, ignore_missing=True)
        self.admin.identity.delete_project(self.project, ignore_missing=True)

    def discard_network(self) -> None:
        network, mine = self.admin.network, {"project_id": self.project.id}
        for address in list(network.ips(**mine)):
            network.delete_ip(address)
        for router in list(network.routers(**mine)):
            for port in list(network.ports(device_id=router.id, device_owner="network:router_interface")):
                network.remove_interface_from_router(router, None, port.id)
            network.delete_router(router)
        for inside in list(network.networks(**mine)):
            network.delete_network(inside)
