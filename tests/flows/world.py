"""The demo's world on an emulated cloud in this process: what pages are looked at with, and what stories play in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from config import clock
from portal import demo
from tenancy import clouds
from tenancy.models import Person, Project
from tests.support.emulated import URL, Emulated, WsgiTransport
from tests.support.site import Site

SIZES = {"projects": 6, "servers": 12, "volumes": 9}

AGE = 47 * 60
"""Seconds since it was seeded: numbers have an age, requests have waited."""

PEOPLE = {
    "operator": "jonas",
    "reviewer": "lena",
    "finance": "petra",
    "owner": "mira",
    "manager": "ana",
    "member": "tomas",
    "viewer": "sofia",
    "stranger": "noor",
}
"""Who of the demo stands for whom in the project Coastal genomics."""


class World(Site):
    """The emulated cloud, and the people of the demo by what they are to Coastal genomics."""

    def who(self, role: str) -> Person:
        """Read again each time: rights are kept on the object."""
        return Person.objects.get(username=PEOPLE[role])

    @property
    def project(self) -> Project:
        return Project.objects.get(slug="coastal-genomics")

    def control_text(self, path: str, body: Mapping[str, Any] | None = None) -> str:
        session = requests.Session()
        session.mount("http://", WsgiTransport(self.emulated.app))
        method = "GET" if body is None else "POST"
        answer = session.request(method, f"{URL}/control/{path}", data=json.dumps(body) if body else None, timeout=5)
        answer.raise_for_status()
        return answer.text


@contextmanager
def seams(site: Site) -> Iterator[None]:
    """Time, network and waiting are the emulator's while this lasts."""
    clock.set_source(site.emulated.now)
    clouds.use_seams(clouds.Seams(transport=lambda slug: site.emulated.transport, sleep=site.emulated.sleep))
    try:
        yield
    finally:
        clouds.use_seams(None)
        clock.set_source(None)


@contextmanager
def demo_world(monkeypatch: pytest.MonkeyPatch, **sizes: int) -> Iterator[World]:
    """What `make run` seeds: people, projects in every state, requests that wait, fifty days of usage."""
    world = World(Emulated(**(SIZES | sizes)))
    monkeypatch.setattr(demo, "_control", world.control_text)
    with seams(world):
        demo.seed()
        world.emulated.advance(AGE)
        yield world
