"""One signed-in session with an OpenStack: the only way in which this connector calls a cloud.

Retries sit here and nowhere else. A read is repeated on every error that says so; a write only if it cannot have
arrived or if the caller says that repeating it is harmless.
"""

from __future__ import annotations

import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import requests
import tenacity
from keystoneauth1 import exceptions as ksa
from keystoneauth1.discover import Discover
from keystoneauth1.session import Session
from keystoneclient.v3.client import Client

from connectors import errors
from connectors.openstack import settings as entries
from connectors.openstack.errors import translate
from connectors.openstack.transport import Line, mount
from connectors.openstack.versions import KNOWN, VOLUME_WITHOUT_PROJECT, Service, Version, choose, text
from connectors.types import Endpoint

LONGEST_WAIT = 30.0
TOKEN_RESERVE = 120.0  # seconds before its end in which a token is replaced
_VERSIONED = re.compile(r"^(.*?/v\d+(?:\.\d+)?)(?:/.*)?$")
T = TypeVar("T")


class OpenStack:
    """Signs in at the first call. ``close`` gives the connections back."""

    def __init__(self, endpoint: Endpoint) -> None:
        entries.check(endpoint.settings)
        self.endpoint = endpoint
        self.own = entries.own(endpoint.settings)
        self._sleep = endpoint.sleep or time.sleep
        self._secrets = {value for path in entries.SECRETS if len(value := _at(endpoint.settings, path)) > 3}
        self._lock = threading.RLock()
        self._bases: dict[Service, str] = {}
        self._versions: dict[Service, Version] = {}
        self._refused: errors.Unauthorized | None = None
        self.unclear_writes = 0
        self.line = Line(timeout=endpoint.timeout, now=self.host_now)
        self._region = entries.region(endpoint.settings, endpoint.name)
        self._auth: Any = self._region.get_auth()
        self._session = self._open()
        self._identity: Client | None = None

    def __repr__(self) -> str:
        return f"<OpenStack {self.endpoint.name}>"

    def _open(self) -> Session:
        try:
            mount(
                self.line,
                transport=self.endpoint.transport,
                connections=self.endpoint.connections,
                pem=self.endpoint.settings.get("cacert_pem"),
            )
        except ssl.SSLError as error:
            raise errors.Misconfigured("“cacert_pem” cannot be read as a certificate.", verbatim=str(error)) from error
        verify, _ = self._region.get_requests_verify_args()
        return Session(auth=self._auth, session=self.line, verify=verify, app_name="tenantry")

    def close(self) -> None:
        self.line.close()

    # --- time ---

    def host_now(self) -> datetime:
        return self.endpoint.now() if self.endpoint.now else datetime.now(UTC)

    def now(self) -> datetime:
        """The cloud's time as its last answer gave it, whole seconds; our own before the first answer."""
        return (self.host_now() + timedelta(seconds=self.line.skew or 0.0)).replace(microsecond=0)

    def wait(self, seconds: float) -> None:
        self._sleep(seconds)

    # --- who we are ---

    @property
    def own_user(self) -> str:
        return str(self._access().user_id or "")

    @property
    def own_project(self) -> str:
        return str(self._access().project_id or "")

    @property
    def own_roles(self) -> frozenset[str]:
        return frozenset(str(name) for name in self._access().role_names)

    @property
    def region_name(self) -> str:
        return str(self._region.get_region_name() or "")

    @property
    def auth_url(self) -> str:
        return str(self._region.get_auth_args()["auth_url"])

    def _access(self) -> Any:
        return self.attempt(lambda: self._auth.get_access(self._session), repeat=True)

    def has(self, service: Service) -> bool:
        """Whether the catalog (or an override) has an address for this service."""
        try:
            self._base(service)
        except errors.Misconfigured:
            return False
        return True

    # --- calls ---

    def get(self, service: Service, path: str, **params: Any) -> Any:
        """The parsed body of ``GET path``; ids in the path are quoted by ``at``."""
        return self._call(service, "GET", path, params=params, repeat=True)

    def put(self, service: Service, path: str, body: Mapping[str, Any], **params: Any) -> Any:
        return self._call(service, "PUT", path, params=params, body=body, repeat=True)

    def post(self, service: Service, path: str, body: Mapping[str, Any]) -> Any:
        return self._call(service, "POST", path, body=body, repeat=False)

    def _call(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        repeat: bool,
    ) -> Any:
        headers = self._version_headers(service)
        url = self._base(service) + path

        def send() -> Any:
            self.line.serve(service)
            self._session.request(url, method, params=dict(params or {}), json=body, headers=headers)
            return self.line.last.body if self.line.last else None

        return self.attempt(send, repeat=repeat)

    def identity(self, call: Callable[[Client], T], *, repeat: bool = True) -> T:
        """One call by python-keystoneclient; ``repeat=False`` for what must not be sent twice."""

        client = self._identity or self._identity_client()

        def send() -> T:
            self.line.serve(Service.IDENTITY)
            return call(client)

        return self.attempt(send, repeat=repeat)

    def _identity_client(self) -> Client:
        with self._lock:
            if self._identity is None:
                self._identity = Client(session=self._session, endpoint_override=self._base(Service.IDENTITY))
            return self._identity

    def attempt(self, call: Callable[[], T], *, repeat: bool) -> T:
        """Run ``call`` with our retries; whatever it raises leaves as a ``ConnectorError``."""
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.endpoint.attempts),
            retry=tenacity.retry_if_exception(lambda error: self._again(error, repeat)),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        result: T = retrying(self._translated, call)
        return result

    def _again(self, error: BaseException, repeat: bool) -> bool:
        if not isinstance(error, errors.ConnectorError) or not error.retry:
            return False
        if (error.retry_after or 0.0) > LONGEST_WAIT:
            return False
        unsent = isinstance(error, errors.Unreachable) or error.status == 429
        sent = self.line.last
        return repeat or unsent or (sent is not None and not sent.is_write)

    def _translated(self, call: Callable[[], T]) -> T:
        if self._refused is not None:
            # Asking again with a refused credential gets the account locked.
            raise self._refused
        self.line.forget()
        # keystoneauth compares a token's end with the host's clock; what counts is the cloud's.
        self._auth.MIN_TOKEN_LIFE_SECONDS = TOKEN_RESERVE + self.line.host_skew
        try:
            return call()
        except (ksa.ClientException, requests.RequestException) as error:
            mine = translate(error, self.line.last, self._secrets)
            if mine.maybe_applied and self.line.last is not None and self.line.last.is_write:
                self.unclear_writes += 1
            if isinstance(mine, errors.Unauthorized):
                self._refused = mine
            raise mine from error

    def hide(self, secret: str) -> None:
        """Never let this text into an error."""
        self._secrets.add(secret)

    @contextmanager
    def crew(self) -> Iterator[ThreadPoolExecutor]:
        """Threads for the calls of one survey: as many as there may be connections."""
        with ThreadPoolExecutor(self.endpoint.connections, thread_name_prefix="openstack") as pool:
            yield pool

    # --- where and in which version ---

    def version(self, service: Service) -> Version:
        """The version spoken to this service, negotiated once. Raises ``Unsupported``."""
        used = self._versions.get(service)
        if used is None:
            with self._lock:  # or each thread of a crew asks for itself
                used = self._versions.get(service) or self._negotiate(service)
        return used

    def _negotiate(self, service: Service) -> Version:
        lowest, highest = self.found_version(service)
        used = choose(service, highest, lowest)
        if service is Service.VOLUME and highest and highest < VOLUME_WITHOUT_PROJECT:
            self._bases[service] = f"{self._base(service)}/{self.own_project}"
        self._versions[service] = used
        return used

    def found_version(self, service: Service) -> tuple[Version | None, Version | None]:
        """Lowest and highest version the server announces; for services without microversions the API's own."""
        path = KNOWN[service].path
        major = int(path[1]) if path else 1
        mine = [one for one in self._announced(service) if one["version"][0] == major]
        if not KNOWN[service].microversions:
            return None, max((_pair(one["version"]) or (0, 0) for one in mine), default=None)
        ranges = [(_pair(one["min_microversion"]), _pair(one["max_microversion"])) for one in mine]
        return next((both for both in ranges if both[1]), (None, None))

    def _announced(self, service: Service) -> list[Any]:
        base = self._base(service)
        path = KNOWN[service].path
        root = base.removesuffix(path) if path else f"{base}/"
        with self._lock:
            self.line.serve(service)
            try:
                return self.attempt(lambda: self._discover(root), repeat=True)
            except (errors.NotFound, errors.Forbidden, errors.Misconfigured):
                # Some sites publish only what is below the version, not the list of versions.
                return self.attempt(lambda: self._discover(f"{base}/"), repeat=True)

    def _discover(self, url: str) -> list[Any]:
        # With our token: a gateway may want one, and a 401 without it says nothing about our credential.
        return list(Discover(self._session, url, authenticated=True).version_data())

    def _version_headers(self, service: Service) -> dict[str, str]:
        if not KNOWN[service].microversions:
            return {}
        name = "volume" if service is Service.VOLUME else str(service)
        return {"OpenStack-API-Version": f"{name} {text(self.version(service))}"}

    def _base(self, service: Service) -> str:
        base = self._bases.get(service)
        if base is None:
            with self._lock:
                base = self._bases.setdefault(service, self._find_base(service))
        return base

    def _find_base(self, service: Service) -> str:
        url = self._region.get_endpoint(service) or self._from_catalog(service)
        if not url:
            raise errors.Misconfigured(
                f"The cloud's catalog has no {service} service for the region and interface of the entry.",
                remedy="Check region_name and interface of the entry, or give an endpoint override.",
            )
        versioned = _VERSIONED.match(str(url).rstrip("/"))
        path = KNOWN[service].path
        if versioned:
            return versioned[1]
        return f"{str(url).rstrip('/')}/{path}" if path else str(url).rstrip("/")

    def _from_catalog(self, service: Service) -> str | None:
        catalog = self._access().service_catalog
        try:
            found = catalog.url_for(
                service_type=str(service),
                interface=self._region.get_interface(service) or "public",
                region_name=self._region.get_region_name(service) or None,
            )
        except ksa.CatalogException:
            return None
        return str(found) if found else None


def at(template: str, *ids: str) -> str:
    """A path with ids in it, quoted: ``at("/servers/{}", server_id)``."""
    return template.format(*(quote(one, safe="") for one in ids))


def _pair(version: Any) -> Version | None:
    return (int(version[0]), int(version[1])) if version else None


def _at(settings: Mapping[str, Any], path: tuple[str, ...]) -> str:
    value: Any = settings
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return str(value or "")


_jitter = tenacity.wait_random_exponential(multiplier=0.5, max=8.0)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, errors.ConnectorError) else None
    return float(_jitter(state)) if asked is None else min(asked, LONGEST_WAIT)
