"""The clouds on which the contract is tested, and hands to work on them as people do, past the connector.

A `Site` is the same to a test whether it is the emulator in process or real servers: it can be connected to, somebody
can sign in, the administrator's hands are openstacksdk, and time can pass.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests
from keystoneauth1 import exceptions, session
from keystoneauth1.identity import v3
from openstack.connection import Connection

from connectors import registry
from connectors.contract import Connector
from connectors.openstack import settings as entries
from connectors.types import Endpoint
from tests.live.servers import OpenStackLab
from tests.support.emulated import ROLES, Emulated

PATIENCE = 240
SMALL, BIG = "m1.test", "m1.big"


class Site:
    """One cloud. `entry` is Tenantry's own entry of clouds.yaml there, `admin` that of who works by hand."""

    entry: Mapping[str, Any]
    admin: Mapping[str, Any]
    http: Callable[[], requests.Session]

    def __init__(self) -> None:
        self.discards: list[Callable[[], Any]] = []

    def endpoint(self, **overrides: Any) -> Endpoint:
        raise NotImplementedError

    def connect(self, **overrides: Any) -> Connector:
        connector = registry.connect(self.endpoint(**overrides))
        self.discards.append(connector.close)
        return connector

    def now(self) -> int:
        """The cloud's time, epoch seconds."""
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        raise NotImplementedError

    def until(self, what: str, reached: Callable[[], bool]) -> None:
        """Ask until it is true. Raises TimeoutError naming what was waited for."""
        for _ in range(PATIENCE):
            if reached():
                return
            self.pause(1.0)
        raise TimeoutError(what)

    def session(self, **auth: Any) -> session.Session:
        plugin = v3.Password(auth_url=self.auth_url, reauthenticate=False, **auth)
        return session.Session(auth=plugin, session=self.http())

    @property
    def auth_url(self) -> str:
        return str(self.admin["auth"]["auth_url"])

    def hands(self) -> Connection:
        """The administrator, by openstacksdk."""
        auth = {key: value for key, value in self.admin["auth"].items() if key != "auth_url"}
        return self.sdk(self.session(**auth))

    def sdk(self, inside: session.Session) -> Connection:
        region = self.admin["region_name"]
        return Connection(session=inside, region_name=region, compute_default_microversion="2.90")

    def gets_in(self, username: str, password: str, project: str) -> bool:
        """Whether somebody gets a token for this project today."""
        domain = entries.domain_of(self.entry)
        key = "user_domain_id" if domain == "default" else "user_domain_name"
        person = self.session(username=username, password=password, project_id=project, **{key: domain})
        try:
            person.get_token()
        except exceptions.Unauthorized:
            return False
        return True

    def unique(self, prefix: str) -> str:
        return f"{prefix}-{secrets.token_hex(5)}"

    def discard(self) -> None:
        for discard in reversed(self.discards):
            discard()


class EmulatedSite(Site):
    def __init__(self, **config: Any) -> None:
        super().__init__()
        self.emulated = Emulated(**config)
        self.entry = self.admin = self.emulated.settings()

    def http(self) -> requests.Session:
        line = requests.Session()
        line.mount("http://", self.emulated.transport)
        return line

    def endpoint(self, **overrides: Any) -> Endpoint:
        return self.emulated.endpoint(**({"settings": self.entry} | overrides))

    def now(self) -> int:
        return int(self.emulated.now().timestamp())

    def pause(self, seconds: float) -> None:
        self.emulated.advance(seconds)


class LabSite(Site):
    def __init__(self, lab: OpenStackLab, cloud: str | None = None) -> None:
        super().__init__()
        text = lab.clouds_yaml.read_text()
        self.entry = entries.parse(text, cloud or lab.cloud)
        self.admin = entries.parse(text, lab.admin_cloud)
        self.http = requests.Session

    def endpoint(self, **overrides: Any) -> Endpoint:
        given: dict[str, Any] = {"kind": "openstack", "name": "lab", "settings": self.entry, "roles": ROLES}
        return Endpoint(**(given | overrides))

    def now(self) -> int:
        return int(time.time())

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class Hands:
    """What people do on a cloud by themselves: boot, resize, delete, make volumes. Everything is put away again."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cloud = site.hands()

    def in_project(self, project: str) -> Connection:
        """The administrator working inside a project, as its member would."""
        cloud = self.cloud
        admin = cloud.identity.find_user("admin", domain_id="default")
        cloud.identity.assign_project_role_to_user(project, admin, cloud.identity.find_role("admin"))
        auth = {k: v for k, v in self.site.admin["auth"].items() if k != "auth_url" and not k.startswith("project_")}
        return self.site.sdk(self.site.session(**auth, project_id=project))

    def boot(self, project: str, flavor: str = SMALL) -> Any:
        inside = self.in_project(project)
        server = inside.compute.create_server(
            name="work",
            image_id=next(iter(inside.image.images())).id,
            flavor_id=self.flavors()[flavor].id,
            networks="none",
        )
        self.site.discards.append(lambda: self.delete(server.id))
        self.await_status(server.id, "ACTIVE")
        return self.cloud.compute.get_server(server.id)

    def flavors(self) -> dict[str, Any]:
        """The smallest flavor as SMALL, and one that is bigger in everything as BIG."""
        by_size = sorted(self.cloud.compute.flavors(), key=lambda flavor: (flavor.vcpus, flavor.ram, flavor.disk))
        small = by_size[0]
        big = next(f for f in by_size if f.vcpus > small.vcpus and f.ram > small.ram and f.disk > small.disk)
        return {SMALL: small, BIG: big}

    def status(self, server: str) -> str:
        found = self.cloud.compute.find_server(server, all_projects=True)
        return str(found.status) if found else "GONE"

    def await_status(self, server: str, status: str) -> None:
        self.site.until(f"{server} is {status}", lambda: self.status(server) == status)

    def resize(self, server: str, flavor: str = BIG) -> None:
        self.cloud.compute.resize_server(server, self.flavors()[flavor].id)
        self.await_status(server, "VERIFY_RESIZE")
        self.cloud.compute.confirm_server_resize(server)
        self.await_status(server, "ACTIVE")

    def delete(self, server: str) -> None:
        self.cloud.compute.delete_server(server, ignore_missing=True)
        self.await_status(server, "GONE")

    def volume(self, project: str, size: int) -> Any:
        volume = self.in_project(project).block_storage.create_volume(name="data", size=size)
        self.site.discards.append(lambda: self.delete_volume(volume.id))
        self.site.until("the volume is there", lambda: self._volume(volume.id) == "available")
        return volume

    def delete_volume(self, volume: str) -> None:
        if self._volume(volume):
            self.cloud.block_storage.delete_volume(volume, ignore_missing=True)
            self.site.until("the volume is gone", lambda: self._volume(volume) == "")

    def _volume(self, volume: str) -> str:
        everywhere = self.cloud.block_storage.volumes(details=True, all_projects=True)
        return next((str(found.status) for found in everywhere if found.id == volume), "")
