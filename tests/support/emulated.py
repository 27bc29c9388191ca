"""The emulator in process: no socket, no thread, no waiting. Its faults come out as `requests` would tell them.

>>> cloud = Emulated(projects=3, servers=6, volumes=4)
>>> connector = registry.connect(cloud.endpoint())
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter
from werkzeug.test import EnvironBuilder, run_wsgi_app

from connectors.types import Endpoint, Role
from emulator.app import App, create_app
from emulator.faults import ConnectionCut, Hang
from emulator.world import WorldConfig

URL = "http://emulator.test"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROLES = {Role.OWNER: "member", Role.MANAGER: "member", Role.MEMBER: "member", Role.VIEWER: "reader"}


class WsgiTransport(BaseAdapter):
    """A `requests` adapter that calls a WSGI application; `sent` keeps (method, path with query) of what went by."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self.app = app
        self.sent: list[tuple[str, str]] = []

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        address = urlsplit(str(request.url))
        self.sent.append((str(request.method), f"{address.path}?{address.query}"))
        builder = EnvironBuilder(
            path=address.path,
            query_string=address.query,
            base_url=f"{address.scheme}://{address.netloc}",
            method=str(request.method),
            headers=dict(request.headers),
            data=request.body,
        )
        try:
            body, status, headers = run_wsgi_app(self.app, builder.get_environ(), buffered=True)
        except ConnectionCut as cut:
            gone = urllib3.exceptions.ProtocolError("Connection aborted.", ConnectionResetError(104, "cut"))
            raise requests.exceptions.ConnectionError(gone, request=request) from cut
        except Hang as hang:
            raise requests.exceptions.ReadTimeout("Read timed out.", request=request) from hang
        raw = urllib3.HTTPResponse(
            io.BytesIO(b"".join(body)),
            headers=urllib3.HTTPHeaderDict(headers.to_wsgi_list()),
            status=int(status.split()[0]),
            preload_content=False,
            request_method=str(request.method),
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None: ...


class Emulated:
    """One emulated world and the ways to look at it, to move its clock and to hurt it."""

    def __init__(self, *, now: datetime = NOW, **config: Any) -> None:
        sizes = {"projects": 3, "servers": 6, "volumes": 4} | config
        self.app: App = create_app(WorldConfig(now=now.timestamp(), speed=0.0, **sizes))
        self.transport = WsgiTransport(self.app)
        self.slept: list[float] = []

    # --- connecting ---

    def settings(self, **auth: str) -> dict[str, Any]:
        """A `clouds.yaml` entry: of the cloud's admin, or of whom the keywords say."""
        admin = {
            "auth_url": f"{URL}/identity/v3",
            "username": "admin",
            "password": self.app.world.config.admin_password,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        scope = {} if "project_id" in auth else {"project_name": "admin"}
        return {"auth": admin | scope | auth, "region_name": self.app.world.config.region}

    def endpoint(self, settings: Mapping[str, Any] | None = None, **overrides: Any) -> Endpoint:
        given = {
            "kind": "openstack",
            "name": "emulated",
            "settings": settings or self.settings(),
            "roles": ROLES,
            "now": self.now,
            "sleep": self.sleep,
            "transport": self.transport,
        }
        return Endpoint(**(given | overrides))

    # --- time ---

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.app.world.clock.now(), UTC)

    def sleep(self, seconds: float) -> None:
        """Waiting is moving the clock."""
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.control("POST", "/clock", {"advance": seconds})

    # --- control ---

    def control(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        session = requests.Session()
        session.mount("http://", WsgiTransport(self.app))
        answer = session.request(method, f"{URL}/control{path}", json=body, params=query, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def fault(self, **rule: Any) -> None:
        self.control("POST", "/faults", rule)

    def heal(self) -> None:
        self.control("DELETE", "/faults")

    def writes(self) -> list[dict[str, Any]]:
        """Every request that may change something, since the last `forget`."""
        return list(self.control("GET", "/writes", last="10000")["writes"])

    def forget(self) -> None:
        """Counters and journal start again."""
        self.control("DELETE", "/counters")
        self.transport.sent.clear()

    # --- as a person with the openstack command ---

    def request(self, method: str, path: str, body: Any = None, *, token: str | None = None, **query: str) -> Any:
        """One raw call, as the admin unless another token is given: the parsed answer, or raises `HTTPError`."""
        session = requests.Session()
        session.mount("http://", WsgiTransport(self.app))
        headers = {"X-Auth-Token": token or self.token(), "OpenStack-API-Version": "compute 2.90"}
        answer = session.request(method, f"{URL}{path}", json=body, params=query, headers=headers, timeout=5)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def token(self, **auth: str) -> str:
        """A token of the admin, or of whom the keywords say (`username`, `password`, `project_id`)."""
        entry = self.settings(**auth)["auth"]
        user = {"name": entry["username"], "domain": {"name": "Default"}, "password": entry["password"]}
        named = {"name": entry.get("project_name"), "domain": {"name": "Default"}}
        scope = {"project": {"id": auth["project_id"]} if "project_id" in auth else named}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        session = requests.Session()
        session.mount("http://", WsgiTransport(self.app))
        answer = session.post(f"{URL}/identity/v3/auth/tokens", json=body, timeout=5)
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]
