"""Reads a file of members. All of it is checked before any of it is used, and every mistake is named by its line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tenancy.errors import RuleError
from tenancy.models import Membership, Person, Project
from tenancy.services.members import ImportRow

COLUMNS = ("project", "person", "role")


@dataclass(frozen=True)
class Mistake:
    """What is wrong with one line; the heading is line 1."""

    line: int
    message: str


class ImportRefused(RuleError):
    """Nothing was imported; `mistakes` are all that were found."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        count = "1 line" if len(mistakes) == 1 else f"{len(mistakes)} lines"
        super().__init__(f"{count} cannot be imported, so nothing was.", remedy="Mend the file and import it again.")
        self.mistakes = mistakes


def members_read(lines: Iterable[str]) -> list[ImportRow]:
    """CSV with the columns project (slug), person (user name, or an e-mail address only one person has) and role.

    Raises ImportRefused with every mistake. Three queries for any number of lines.
    """
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ImportRefused([Mistake(1, f"The heading has no column {', '.join(missing)}.")])
        numbered = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise ImportRefused([Mistake(reader.line_num, f"This is no CSV: {error}.")]) from error
    known = _Known([row for _, row in numbered])
    rows: list[ImportRow] = []
    mistakes: list[Mistake] = []
    for line, cells in numbered:
        try:
            rows.append(known.row(cells))
        except ValueError as error:
            mistakes.append(Mistake(line, str(error)))
    if mistakes:
        raise ImportRefused(mistakes)
    return rows


class _Known:
    """Projects and people that a file names, read at once; remembers who was named in which project."""

    def __init__(self, rows: list[Mapping[str, str | None]]) -> None:
        slugs = {_cell(row, "project") for row in rows}
        names = {_cell(row, "person") for row in rows}
        self.projects = {each.slug: each for each in Project.objects.filter(slug__in=slugs)}
        self.by_name = {each.username: each for each in Person.objects.filter(username__in=names)}
        self.by_mail: dict[str, list[Person]] = {}
        for each in Person.objects.filter(email__in=names):
            self.by_mail.setdefault(each.email, []).append(each)
        self.seen: set[tuple[UUID, UUID]] = set()

    def row(self, cells: Mapping[str, str | None]) -> ImportRow:
        """Raises ValueError with a sentence for what is wrong."""
        if None in cells or None in cells.values():
            raise ValueError("It has not as many cells as the heading.")
        project = self.projects.get(_cell(cells, "project"))
        if project is None:
            raise ValueError(f"There is no project “{_cell(cells, 'project')}”.")
        if project.state != Project.State.OPEN:
            raise ValueError(f"The project “{project.slug}” is archived.")
        role = _cell(cells, "role")
        if role not in Membership.Role.values:
            raise ValueError(f"“{role}” is no role; use {', '.join(Membership.Role.values)}.")
        person = self._person(_cell(cells, "person"))
        if (project.pk, person.pk) in self.seen:
            raise ValueError(f"{person} is in {project.slug} twice.")
        self.seen.add((project.pk, person.pk))
        return ImportRow(project=project, person=person, role=role)

    def _person(self, name: str) -> Person:
        if name in self.by_name:
            person = self.by_name[name]
        else:
            found = self.by_mail.get(name, [])
            if len(found) > 1:
                # An address identifies nobody: two people may have the same.
                raise ValueError(f"“{name}” is the address of {len(found)} people; use the user name.")
            if not found:
                raise ValueError(f"There is no person “{name}”.")
            person = found[0]
        if not person.is_active:
            raise ValueError(f"{person} is not active.")
        return person


def _cell(row: Mapping[str, str | None], name: str) -> str:
    return (row.get(name) or "").strip()
