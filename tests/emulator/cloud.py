"""A client for tests: one emulated cloud in this process, people who are signed in, and a clock in the test's hand."""

from typing import Any

from werkzeug.test import Client, TestResponse

from emulator.app import App, create_app
from emulator.clock import parse_time
from emulator.world import WorldConfig

START = "2026-11-20T08:00:00Z"
PREFIX = {
    "identity": "/identity/v3", "compute": "/compute/v2.1", "volume": "/volume/v3", "network": "/network/v2.0",
    "image": "/image/v2", "placement": "/placement",
}  # fmt: skip


class Cloud:
    """`get("compute", "/servers")` and friends as the person whose token is given (the admin's by default)."""

    def __init__(self, **config: Any) -> None:
        defaults = {"now": parse_time(START), "speed": 0.0, "projects": 0, "servers": 0, "volumes": 0}
        self.app: App = create_app(WorldConfig(**{**defaults, **config}))
        self.client = Client(self.app)
        self.admin = self.login("admin", "emulator-secret", project="admin")

    @property
    def world(self):
        return self.app.world

    def ask(self, method: str, url: str, body: Any = None, *, token: str | None = None, **headers: str) -> TestResponse:
        sent = {"X-Auth-Token": token} if token else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(url, method=method, json=body, headers=sent)

    def call(
        self, method: str, service: str, path: str, body: Any = None, *, token: str | None = None, version: str = ""
    ) -> TestResponse:
        headers = {"OpenStack_API_Version": f"{service} {version}"} if version else {}
        return self.ask(method, PREFIX[service] + path, body, token=token or self.admin, **headers)

    def get(self, service: str, path: str, **more: Any) -> TestResponse:
        return self.call("GET", service, path, **more)

    def put(self, service: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("PUT", service, path, body, **more)

    def post(self, service: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("POST", service, path, body, **more)

    def patch(self, service: str, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.call("PATCH", service, path, body, **more)

    def delete(self, service: str, path: str, **more: Any) -> TestResponse:
        return self.call("DELETE", service, path, **more)

    def try_login(self, name: str, password: str, scope: Any = None) -> TestResponse:
        user = {"name": name, "domain": {"id": "default"}, "password": password}
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scope is not None:
            auth["scope"] = scope
        return self.ask("POST", "/identity/v3/auth/tokens", {"auth": auth})

    def login(self, name: str, password: str, *, project: str | None = None, scope: Any = None) -> str:
        if project:
            scope = {"project": {"name": project, "domain": {"id": "default"}}}
        reply = self.try_login(name, password, scope)
        assert reply.status_code == 201, reply.text
        return reply.headers["X-Subject-Token"]

    def make_project(self, name: str, **fields: Any) -> str:
        reply = self.post("identity", "/projects", {"project": {"name": name, "domain_id": "default", **fields}})
        assert reply.status_code == 201, reply.text
        return reply.json["project"]["id"]

    def make_user(self, name: str, password: str = "pw", **fields: Any) -> str:
        user = {"name": name, "domain_id": "default", "password": password, **fields}
        reply = self.post("identity", "/users", {"user": user})
        assert reply.status_code == 201, reply.text
        return reply.json["user"]["id"]

    def role(self, name: str) -> str:
        return self.get("identity", f"/roles?name={name}").json["roles"][0]["id"]

    def grant(self, user: str, project: str, role: str = "member") -> None:
        reply = self.put("identity", f"/projects/{project}/users/{user}/roles/{self.role(role)}")
        assert reply.status_code == 204, reply.text

    def revoke(self, user: str, project: str, role: str = "member") -> None:
        assert self.delete("identity", f"/projects/{project}/users/{user}/roles/{self.role(role)}").status_code == 204

    def member(self, name: str, project_name: str, role: str = "member") -> tuple[str, str, str]:
        """(token, user id, project id) of a new person in a new project."""
        project, user = self.make_project(project_name), self.make_user(name)
        self.grant(user, project, role)
        return self.login(name, "pw", project=project_name), user, project

    def flavor(self, name: str = "m1.tiny") -> str:
        return next(f["id"] for f in self.get("compute", "/flavors").json["flavors"] if f["name"] == name)

    def boot(self, token: str, name: str, flavor: str = "m1.tiny", *, wait: int = 10) -> TestResponse:
        image = self.get("image", "/images").json["images"][0]["id"]
        server = {"name": name, "flavorRef": self.flavor(flavor), "imageRef": image, "networks": "none"}
        reply = self.post("compute", "/servers", {"server": server}, token=token, version="2.96")
        if reply.status_code == 202:
            self.advance(wait)
        return reply

    def act(self, token: str, server: str, wait: int = 30, **action: Any) -> TestResponse:
        reply = self.post(
            "compute", f"/servers/{server}/action", {k.replace("_", "-"): v for k, v in action.items()}, token=token
        )
        self.advance(wait)
        return reply

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.client.open(f"/control/{path}", method=method, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json

    def advance(self, seconds: float) -> None:
        self.control("POST", "clock", {"advance": seconds})

    def fault(self, **rule: Any) -> str:
        return self.control("POST", "faults", rule)["faults"][0]["id"]
