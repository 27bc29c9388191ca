"""UTC calendar months, the periods of usage and reports. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from reporting.ledger import day_start

_KEY = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC; months are compared in time."""

    year: int
    number: int

    def __post_init__(self) -> None:
        date(self.year, self.number, 1)

    @classmethod
    def parse(cls, text: str) -> Month:
        """From "2026-11"; raises ValueError, which says what is wanted."""
        match = _KEY.fullmatch(text)
        if not match:
            raise ValueError(f"“{text}” is no month; write it as 2026-11.")
        try:
            return cls(int(match[1]), int(match[2]))
        except ValueError:
            raise ValueError(f"“{text}” is no month; write it as 2026-11.") from None

    @classmethod
    def of(cls, moment: datetime) -> Month:
        there = moment.astimezone(UTC)
        return cls(there.year, there.month)

    @property
    def key(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def label(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def name(self) -> str:
        return f"{self.first:%B}"

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    @property
    def start(self) -> int:
        """Epoch second at which it begins."""
        return day_start(self.first)

    @property
    def end(self) -> int:
        """Epoch second at which the next one begins."""
        return day_start(self.last) + 86_400

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def before(self) -> Month:
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    def runs(self, now: datetime) -> bool:
        """Whether it is not over yet."""
        return now.timestamp() < self.end


def months_back(newest: Month, oldest: Month) -> list[Month]:
    """From the newest to the oldest, both included; at least the newest."""
    found = [newest]
    while found[-1] > oldest:
        found.append(found[-1].before())
    return found
