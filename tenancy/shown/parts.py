"""What templates/parts/* are given by this app: the fields that those templates name, and nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A word and the kind of its mark: ok, work, wait, warn, over, none, off, draft."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Sentence:
    before: str = ""
    subject: str = ""
    href: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing to show, and what to do next; kind is "none" where it is not known."""

    headline: str
    text: str = ""
    act: Link | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    kind: str
    headline: str
    text: str = ""
    sub: str = ""
    verbatim: str = ""
    acts: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """A button (posted as ``name=value``), or a link if ``href`` is given."""

    text: str
    name: str = ""
    value: str = ""
    href: str = ""
    takes_away: bool = False


@dataclass(frozen=True, slots=True)
class StepRow:
    """A line of a progress display; ``verbatim`` is for operators only."""

    kind: str
    title: str
    sub: str = ""
    verbatim: str = ""


@dataclass(frozen=True, slots=True)
class PlanRow:
    what: str
    object: str
    found: str
    wanted: str
    why: Sentence
    acts: Sequence[Act] = ()
    unmanaged: bool = False


@dataclass(frozen=True, slots=True)
class PlanGroup:
    id: str
    title: str
    sub: str
    rows: Sequence[PlanRow]
    opened: bool = False


@dataclass(frozen=True, slots=True)
class CloudKey:
    """A cloud as a column."""

    name: str
    colour: int
    href: str = ""


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A membership; ``clouds`` has a badge for each cloud of the project, None where there is no account."""

    name: str
    mail: str
    role: str
    clouds: Sequence[Badge | None]
    last_seen: dt.datetime | None
    change_href: str = ""
    is_reader: bool = False
