"""What every service handler sees and gives: Call in, Reply out, ApiError raised; and the table of routes."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from emulator.tables import Row
from emulator.world import World

if TYPE_CHECKING:
    from emulator.openstack.tokens import Actor, TokenStore
    from emulator.services import Service

Body = dict[str, Any]
Version = tuple[int, int]


@dataclass(slots=True)
class Reply:
    status: int
    body: Body | str | None = None
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """An answer the service gives instead of doing what was asked; `kind` is Neutron's error type."""

    def __init__(self, status: int, message: str, *, kind: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.kind, self.headers = status, message, kind, headers or {}


@dataclass(slots=True)
class Call:
    """One request to one service. `version` is the negotiated microversion, (0, 0) where the service has none."""

    world: World
    service: "Service"
    request: Request
    path: str
    args: "MultiDict[str, str]"
    base: str  # scheme and host, no slash at the end
    now: float
    tokens: "TokenStore"
    version: Version = (0, 0)
    _actor: "Actor | None" = None

    @property
    def actor(self) -> "Actor":
        if self._actor is None:
            raise RuntimeError(f"{self.path} is public and has no actor")
        return self._actor

    @property
    def root(self) -> str:
        """The service's own URL, e.g. http://host/compute/v2.1."""
        return self.base + self.service.prefix

    def json(self) -> Body:
        raw = self.request.get_data()
        if not raw:
            return {}
        try:
            body = json.loads(raw)
        except ValueError:
            raise ApiError(400, "Malformed request body") from None
        if not isinstance(body, dict):
            raise ApiError(400, "Malformed request body")
        return body

    def document(self, key: str) -> Body:
        """The object under the root key of the body; 400 without it."""
        found = self.json().get(key)
        if not isinstance(found, dict):
            raise ApiError(
                400, f"Invalid input for field/attribute {key}. Value: {found}. '{key}' is a required property"
            )
        return found

    @staticmethod
    def whole(body: Body, key: str, default: int | None = None) -> int:
        """A positive integer of the body, also written as text; 400 for anything else."""
        value = body.get(key, default)
        number = int(value) if isinstance(value, str) and value.isdigit() else value
        if not isinstance(number, int) or isinstance(number, bool) or number < 1:
            raise ApiError(
                400, f"Invalid input for field/attribute {key}. Value: {value}. {value!r} is not of type 'integer'"
            )
        return number

    def flag(self, name: str) -> bool:
        """A query switch: present and not false."""
        value = self.args.get(name)
        return value is not None and value.lower() not in ("0", "false", "no", "f", "n", "off")

    def flag_or_bare(self, name: str) -> bool:
        """Keystone's switches: `?effective` alone is yes, only `=0` is no."""
        return name in self.args and self.args[name] != "0"

    def number(self, name: str) -> int | None:
        """A non-negative integer of the query; None when it is not given, 400 for anything else."""
        text = self.args.get(name)
        if text is None:
            return None
        if not text.isdigit():
            raise ApiError(
                400, f"Invalid input for query parameters {name}. Value: {text}. '{text}' does not match '^[0-9]*$'"
            )
        return int(text)

    def page_url(self, **changes: object) -> str:
        """This request's URL with some of the query replaced: the link to the next page."""
        pairs = [(key, value) for key, value in self.args.items(multi=True) if key not in changes]
        pairs += [(key, str(value)) for key, value in changes.items() if value is not None]
        return f"{self.base}{self.path}?{urlencode(pairs)}"


Handler = Callable[..., Reply]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    template: str
    handler: Handler
    public: bool


class Routes:
    """Collects the handlers of one service under its prefix."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.found: list[Route] = []

    def add(self, method: str, template: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        def keep(handler: Handler) -> Handler:
            self.found.append(Route(method, self.prefix + template, handler, public))
            return handler

        return keep

    def get(self, template: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.add("GET", template, public=public)

    def post(self, template: str, *, public: bool = False) -> Callable[[Handler], Handler]:
        return self.add("POST", template, public=public)

    def put(self, template: str) -> Callable[[Handler], Handler]:
        return self.add("PUT", template)

    def patch(self, template: str) -> Callable[[Handler], Handler]:
        return self.add("PATCH", template)

    def delete(self, template: str) -> Callable[[Handler], Handler]:
        return self.add("DELETE", template)


def without(row: Row, *fields: str) -> Row:
    return {key: value for key, value in row.items() if key not in fields}


def take(things: Iterable[Any], limit: int) -> list[Any]:
    found: list[Any] = []
    for thing in things:
        if len(found) == limit:
            break
        found.append(thing)
    return found
