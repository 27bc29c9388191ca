"""The WSGI application: finds the service and its handler, lets faults happen, answers in the service's own form."""

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, MapAdapter, Rule
from werkzeug.wrappers import Request, Response

from emulator import control, seed
from emulator.clock import http_date
from emulator.counters import SAFE, Counters, redacted
from emulator.faults import FOR_EVER, ConnectionCut, Effect, Faults, Hang, no_answer, wait
from emulator.faults import Rule as FaultRule
from emulator.openstack import discovery
from emulator.openstack.routing import routes
from emulator.openstack.tokens import TokenStore
from emulator.services import SERVICES, UNAUTHORIZED, Service
from emulator.state import restore
from emulator.wire import ApiError, Call, Reply, Route, Version
from emulator.world import World, WorldConfig

StartResponse = Callable[..., Any]
_PROJECT_IN_URL = re.compile(
    r"^(/compute/v2(?:\.1)?|/volume/v3)/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/.*)$"
)
_VERSION = re.compile(r"^([1-9]\d*)\.(\d+)$")


@cache
def url_map() -> MapAdapter:
    """The same for every world, and slow to compile: made once in a process."""
    rules = [Rule(route.template, endpoint=route, methods=[route.method]) for route in routes()]
    return Map(rules, strict_slashes=False, merge_slashes=False).bind("emulator")


class App:
    """One emulated world. Callable by WSGI; a request that must get no answer raises ConnectionCut or Hang."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.faults = Faults(world.config.seed)
        self.counters = Counters()
        self.tokens = TokenStore(world)
        self._requests = 0
        self._routes = url_map()

    def add_fault(self, given: Any) -> FaultRule:
        """A fault rule from its JSON; see `emulator.faults`. Raises ValueError for one that says nothing sensible."""
        with self.world.lock:
            rule = self.faults.add(given)
            if rule.stale:
                rule.stale_mark, rule.stale_since = self.world.log.keep(), self.world.now
            return rule

    def remove_faults(self, rule_id: str | None = None) -> list[FaultRule]:
        with self.world.lock:
            gone = self.faults.remove(rule_id)
            for rule in gone:
                if rule.stale:
                    self.world.log.release()
            return gone

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith("/control"):
            response = control.answer(self, request)
        else:
            self.counters.enter()
            response = self._serve(request)
        response.headers["Date"] = http_date(int(self.world.clock.now()))
        return response(environ, start_response)

    def _serve(self, request: Request) -> Response:
        service = SERVICES.get(request.path.split("/", 2)[1])
        request_id = self._request_id()
        endpoint, kind, status = f"{request.method} {request.path}", "unknown", 0
        try:
            if service is None:
                status = 404
                return self._unknown(request, discovery.FRONT, request_id, None)
            path, project = _split(request.path)
            route, args = self._match(path, request.method)
            if route is None:
                status = 404 if args is None else 405
                return self._unknown(request, service, request_id, args)
            endpoint, kind = f"{request.method} {route.template}", _kind(request.method, route.template)
            call = Call(
                world=self.world, service=service, request=request, path=request.path, args=request.args,
                base=request.host_url.rstrip("/"), now=self.world.clock.now(), tokens=self.tokens,
            )  # fmt: skip
            response = self._answer(call, route, args or {}, project, kind, request_id)
            status = response.status_code
            return response
        finally:
            self.counters.leave(endpoint, status, kind=kind)

    def _answer(
        self, call: Call, route: Route, args: dict[str, Any], project: str | None, kind: str, request_id: str
    ) -> Response:
        method = call.request.method
        effect = self.faults.pick(call, method, writes=kind == "write")
        wait(effect.latency)
        reply, outcome = self._fault(call, effect), "blocked"
        try:
            if reply is None:
                with self.world.lock:
                    self.world.settle()
                    reply, outcome = self._perform(call, route, args, project, effect)
            self._lose(effect)
            rule = effect.first("lose_answer")
            if rule is not None and outcome != "blocked":
                reply = self._error(call, ApiError(int(rule.lose_answer), rule.message or "The server timed out."))
        finally:
            if kind == "write":
                self._journal(call, reply, outcome, request_id)
        return _response(call, reply, effect, request_id)

    def _fault(self, call: Call, effect: Effect) -> Reply | None:
        """The answer of a fault that keeps the request from happening; None when it goes on."""
        if not effect:
            return None
        if rule := effect.first("cut"):
            raise ConnectionCut
        if rule := effect.first("hang"):
            raise Hang(FOR_EVER if rule.hang is True else float(rule.hang))
        if effect.first("expire_token"):
            self.tokens.expire(call.request.headers.get("X-Auth-Token", ""))
        if rule := effect.first("status"):
            headers = {} if rule.retry_after is None else {"Retry-After": str(rule.retry_after)}
            text = rule.message or _FAULT_TEXTS.get(rule.status or 500, "The server could not comply with the request.")
            return self._error(call, ApiError(rule.status or 500, text, headers=headers))
        return None

    @staticmethod
    def _lose(effect: Effect) -> None:
        rule = effect.first("lose_answer")
        if rule is not None and not (isinstance(rule.lose_answer, int) and rule.lose_answer > 1):
            no_answer(rule.lose_answer)

    def _perform(
        self, call: Call, route: Route, args: dict[str, Any], project: str | None, effect: Effect
    ) -> tuple[Reply, str]:
        """Authenticate, do it as the faults will have it; (reply, what became of the write)."""
        call.now = self.world.now
        try:
            self._admit(call, route, project)
            if rule := effect.first("stale"):
                with self.world.seen_at(rule.stale_mark or 0, rule.stale_since):
                    return route.handler(replace(call, now=rule.stale_since), **args), "read"
            if effect.first("lie") or effect.first("late"):
                return self._unwritten(call, route, args, effect)
            return route.handler(call, **args), "applied"
        except ApiError as error:
            return self._error(call, error), "refused"

    def _unwritten(self, call: Call, route: Route, args: dict[str, Any], effect: Effect) -> tuple[Reply, str]:
        """Answer as if it had been done, and take it back; a late write is done again when its time has come."""
        world = self.world
        mark = world.log.keep()
        try:
            with world.ids_kept() as made:
                reply = route.handler(call, **args)
            world.log.roll_back(mark)
        finally:
            world.log.release()
        rule = effect.first("late")
        if rule is None or rule.late is None:
            return reply, "lied"

        def land() -> None:
            try:
                with world.ids_kept(made):
                    route.handler(replace(call, now=world.now), **args)
                outcome = "landed"
            except ApiError as error:
                outcome = f"landed on {error.status}"
            self._journal(call, reply, outcome, "late")

        world.do_later(call.now + rule.late, land)
        return reply, "late"

    def _admit(self, call: Call, route: Route, project: str | None) -> None:
        service = call.service
        if not route.public:
            token = call.request.headers.get("X-Auth-Token")
            actor = (
                self.tokens.validate(token) if service.kind == "identity" else self.tokens.accept(service.kind, token)
            )
            if actor is None:
                uri = f'Keystone uri="{call.base}/identity/v3"'
                raise ApiError(401, UNAUTHORIZED, headers={"WWW-Authenticate": uri})
            call._actor = actor
            if service.versions:
                call.version = _negotiate(call, service)
            if project is not None and project != actor.project_id:
                raise ApiError(400, "Malformed request url")

    def _match(self, path: str, method: str) -> tuple[Route | None, dict[str, Any] | None]:
        """(route, its arguments); (None, None) for an unknown path and (None, {}) for a wrong method."""
        try:
            route, args = self._routes.match(path, method)
        except MethodNotAllowed:
            return None, {}
        except HTTPException:
            return None, None
        return route, dict(args)

    def _unknown(self, request: Request, service: Service, request_id: str, args: dict[str, Any] | None) -> Response:
        """Loud: what the emulator does not speak must be seen, not guessed around."""
        print(f"emulator: no such endpoint: {request.method} {request.full_path}", file=sys.stderr, flush=True)
        status, text = (404, "The resource could not be found.") if args is None else (405, "Method not allowed.")
        body = service.render(ApiError(status, text), request_id)
        return Response(json.dumps(body), status, service.headers((0, 0), request_id), content_type="application/json")

    def _error(self, call: Call, error: ApiError) -> Reply:
        headers = dict(error.headers)
        if call.service.kind == "compute" and error.status != 401:
            headers["Content-Type"] = "application/json; charset=UTF-8"
        return Reply(error.status, call.service.render(error, ""), headers)

    def _journal(self, call: Call, reply: Reply | None, outcome: str, request_id: str) -> None:
        try:
            body = redacted(call.json())
        except ApiError:
            body = None
        self.counters.wrote(
            at=self.world.now, method=call.request.method, path=call.path, query=call.request.query_string.decode(),
            body=body, status=reply.status if reply else 0, outcome=outcome, request_id=request_id,
        )  # fmt: skip

    def _request_id(self) -> str:
        self._requests += 1
        digits = self.world.ids.named("request", self._requests)
        return f"req-{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


_FAULT_TEXTS = {
    401: UNAUTHORIZED,
    403: "You are not authorized to perform the requested action.",
    429: "Too many requests, please try again later.",
    500: "An unexpected error prevented the server from fulfilling your request.",
    503: "The service is temporarily unavailable.",
    504: "The server timed out.",
}


def _kind(method: str, template: str) -> str:
    if template.endswith("/auth/tokens"):
        return "token" if method == "POST" or method == "DELETE" else "read"
    return "read" if method in SAFE else "write"


def _split(path: str) -> tuple[str, str | None]:
    """Nova and Cinder take a project id in the URL: (path without it, the id)."""
    found = _PROJECT_IN_URL.match(path)
    return (found[1] + found[3], found[2]) if found else (path, None)


def _negotiate(call: Call, service: Service) -> Version:
    """The microversion asked for; the lowest without a header. ApiError 406 outside the range, 400 for nonsense."""
    low, high = service.versions[call.world.config.release]
    asked = None
    for part in call.request.headers.get("OpenStack-API-Version", "").split(","):
        word, _, value = part.strip().partition(" ")
        if word == service.header:
            asked = value.strip()
    if asked is None and service.kind == "compute":
        asked = call.request.headers.get("X-OpenStack-Nova-API-Version")
    if asked is None:
        return low
    if asked == "latest":
        return high
    found = _VERSION.match(asked)
    if not found:
        raise ApiError(400, f"API Version String {asked} is of invalid format. Must be of format MajorNum.MinorNum.")
    version = (int(found[1]), int(found[2]))
    if not low <= version <= high:
        call.version = version  # the real services repeat the version they refuse in their headers
        span = f"Minimum is {low[0]}.{low[1]} and maximum is {high[0]}.{high[1]}."
        raise ApiError(406, f"Version {asked} is not supported by the API. {span}")
    return version


def _response(call: Call, reply: Reply, effect: Effect, request_id: str) -> Response:
    bare = call.path.rstrip("/") in ("/compute", "/network")  # their version lists pass no middleware
    headers = call.service.headers(call.version, "" if bare else request_id) | reply.headers
    if reply.status == 401 and call.service.kind == "volume":
        headers.pop("x-compute-request-id", None)  # Cinder adds it behind the middleware that refuses
    if reply.body is None:
        response = Response(b"", reply.status, headers, content_type="application/json")
        if call.service.kind == "identity":  # Keystone leaves the type out of an answer without a body
            response.headers.remove("Content-Type")
        return response
    body = reply.body
    if effect.first("empty") and reply.status == 200 and isinstance(body, dict):
        body = {
            key: [] if isinstance(value, list) else value for key, value in body.items() if not key.endswith("_links")
        }
    text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
    if effect.first("truncate"):
        text = text[: max(1, len(text) // 2)]
    return Response(text, reply.status, headers, content_type=headers.pop("Content-Type", "application/json"))


def create_app(config: WorldConfig | None = None, *, state: "dict[str, Any] | None" = None) -> App:
    """A new world as a WSGI callable; `state` is what `emulator.state.differences` gave of an earlier one."""
    world = World(config or WorldConfig())
    if state is not None:
        world.origin = state["origin"]
    seed.grow(world)
    if state is not None:
        restore(world, state)
    return App(world)
