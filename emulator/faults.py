"""Faults by rule: which requests they hit, when, and what then goes wrong.

A rule is a JSON object. It matches by `method` (text or list), `service` (identity, compute, volume, network,
placement, image), `path` and `query` (regular expressions, searched), `writes` (true: only requests that change
something) and `page` (the n-th page of a listing). It fires on the `nth` match only, or on `every` n-th, after the
first `after`, at most `times`, with `probability` (drawn from the seed). What it does:

    latency       seconds to wait before anything else (a real wait, in process too)
    status        answer this status in the service's own error form, with `message` and `retry_after`; nothing happens
    cut, hang     no answer: the connection is cut, or held open (`hang` is true or seconds); nothing happens
    lose_answer   it happens, but the answer is lost: true or "cut", "hang", or a status such as 504
    lie           it is answered as if it had happened, and nothing happened
    late          it happens this many world seconds later; the answer is the true one (unless lose_answer, too)
    expire_token  the token that came with the request has expired
    empty, stale  a list answers 200 without rows; or with the rows of the moment the rule was made
    truncate      the JSON of the answer ends in the middle
"""

import re
import threading
import time
from dataclasses import dataclass, field, fields
from typing import Any

from emulator.lives import mix
from emulator.wire import Call

EVENTS = (
    "status",
    "cut",
    "hang",
    "lose_answer",
    "lie",
    "late",
    "expire_token",
    "empty",
    "stale",
    "truncate",
    "latency",
)


class ConnectionCut(Exception):
    """The server closed the connection without an answer; a test transport raises its library's connection error."""


class Hang(Exception):
    """The server holds the connection and never answers; a test transport raises its library's read timeout."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds:g} s")
        self.seconds = seconds


FOR_EVER = 3600.0


@dataclass(slots=True, kw_only=True)
class Rule:
    id: str = ""
    method: str | list[str] | None = None
    service: str | None = None
    path: str | None = None
    query: str | None = None
    writes: bool | None = None
    page: int | None = None
    nth: int | None = None
    every: int | None = None
    after: int = 0
    times: int | None = None
    probability: float | None = None
    latency: float = 0.0
    status: int | None = None
    message: str | None = None
    retry_after: int | None = None
    cut: bool = False
    hang: bool | float = False
    lose_answer: bool | str | int = False
    lie: bool = False
    late: float | None = None
    expire_token: bool = False
    empty: bool = False
    stale: bool = False
    truncate: bool = False
    matched: int = 0
    fired: int = 0
    stale_mark: int | None = None
    stale_since: float = 0.0
    _pages: dict[str, int] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """The rule as it was given, with how often it matched and fired."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name in _GIVEN}
        defaults = {f.name: f.default for f in fields(self)}
        shown = {name: value for name, value in given.items() if value != defaults[name]}
        return shown | {"id": self.id, "matched": self.matched, "fired": self.fired}

    def hits(self, call: Call, method: str, writes: bool, luck: int) -> bool:
        if not self._matches(call, method, writes):
            return False
        self.matched += 1
        if self.matched <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        number = self.matched - self.after
        if self.nth is not None and number != self.nth:
            return False
        if self.every is not None and number % self.every:
            return False
        if self.probability is not None and (mix(luck ^ self.matched) >> 11) / 2**53 >= self.probability:
            return False
        self.fired += 1
        return True

    def _matches(self, call: Call, method: str, writes: bool) -> bool:
        if self.method is not None and method not in ([self.method] if isinstance(self.method, str) else self.method):
            return False
        if self.service is not None and self.service != call.service.kind:
            return False
        if self.writes is not None and self.writes != writes:
            return False
        if self.path is not None and not re.search(self.path, call.path):
            return False
        if self.query is not None and not re.search(self.query, call.request.query_string.decode()):
            return False
        return self.page is None or self._page_of(call) == self.page

    def _page_of(self, call: Call) -> int:
        """Pages are counted by listing: a request without a marker begins again at one."""
        page = self._pages.get(call.path, 0) + 1 if call.args.get("marker") else 1
        self._pages[call.path] = page
        return page


_OWN = {"matched", "fired", "stale_mark", "stale_since", "_pages"}
_GIVEN = {f.name for f in fields(Rule)} - _OWN


def read_rule(given: Any, number: int) -> Rule:
    """A rule from its JSON. Raises ValueError: a misspelt fault must not pass for a healthy cloud."""
    if not isinstance(given, dict):
        raise TypeError(f"a fault rule is an object, not {given!r}")
    unknown = sorted(set(given) - _GIVEN)
    if unknown:
        raise ValueError(f"unknown key(s) in fault rule: {', '.join(unknown)}; known are {', '.join(sorted(_GIVEN))}")
    if not any(given.get(name) for name in EVENTS):
        raise ValueError(f"a fault rule says what goes wrong: one of {', '.join(EVENTS)}")
    for name in ("path", "query"):
        try:
            re.compile(given.get(name) or "")
        except re.error as error:
            raise ValueError(f"{name} of the fault rule is no regular expression: {error}") from error
    rule = Rule(**given)
    rule.id = str(rule.id or number)
    return rule


@dataclass(slots=True)
class Effect:
    """What all rules that hit one request do together; the first one to say a thing is heard."""

    rules: list[Rule]

    @property
    def latency(self) -> float:
        return sum(rule.latency for rule in self.rules)

    def first(self, name: str) -> Rule | None:
        return next((rule for rule in self.rules if getattr(rule, name) not in (None, False)), None)

    def __bool__(self) -> bool:
        return bool(self.rules)


class Faults:
    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rules: list[Rule] = []
        self._made = 0
        self._lock = threading.Lock()

    def add(self, given: Any) -> Rule:
        with self._lock:
            self._made += 1
            rule = read_rule(given, self._made)
            if any(known.id == rule.id for known in self._rules):
                raise ValueError(f"there is a fault rule {rule.id} already")
            self._rules.append(rule)
            return rule

    def all(self) -> list[Rule]:
        return list(self._rules)

    def remove(self, rule_id: str | None) -> list[Rule]:
        """Take one rule away, or all of them with None; returns those taken away."""
        with self._lock:
            gone = [rule for rule in self._rules if rule_id in (None, rule.id)]
            self._rules = [rule for rule in self._rules if rule not in gone]
            return gone

    def pick(self, call: Call, method: str, *, writes: bool) -> Effect:
        if not self._rules:
            return _NOTHING
        with self._lock:
            luck = self._seed * 1_000_003
            return Effect(
                [rule for n, rule in enumerate(self._rules) if rule.hits(call, method, writes, luck + n * 7_919)]
            )


_NOTHING = Effect([])


def wait(seconds: float) -> None:
    """A real wait: the callers' timeouts and the number of open connections are what it is for."""
    if seconds > 0:
        time.sleep(seconds)


def no_answer(how: bool | str | float) -> None:
    """Raise what stands for a lost answer: "hang", a number of seconds to hang, anything else a cut."""
    if how == "hang":
        raise Hang(FOR_EVER)
    if isinstance(how, float | int) and not isinstance(how, bool):
        raise Hang(float(how))
    raise ConnectionCut
