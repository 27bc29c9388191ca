"""Whatever is wanted in whatever order, with faults in between: in the end the cloud is as wanted, and stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenancy.errors import RuleError
from tenancy.loop import claims, survey
from tenancy.models import Membership, Person, Tenancy
from tenancy.services import limits_set, member_add, member_remove, member_role_change, project_archive, project_restore
from tests.support.site import Site, emulated_site

pytestmark = pytest.mark.django_db

NAMES = ("ana", "tomas", "sofia")
FAULTS = (
    {"service": "compute", "method": "PUT", "status": 500, "times": 2},
    {"service": "identity", "method": "PUT", "lose_answer": "hang", "times": 1},
    {"service": "network", "method": "PUT", "late": 300, "lose_answer": "hang", "times": 1},
    {"service": "identity", "method": "POST", "path": "users", "lose_answer": True, "times": 1},
    {"service": "volume", "status": 503, "times": 6},
    {"writes": True, "truncate": True, "times": 1},
    {"service": "identity", "method": "DELETE", "cut": True, "times": 1},
    {"status": 429, "retry_after": 40, "times": 3},
    {"expire_token": True, "times": 1},
)

deeds = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(NAMES), st.sampled_from(("member", "viewer"))),
    st.tuples(st.just("leave"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("limit"), st.sampled_from((0, 4, 16)), st.none()),
    st.tuples(st.just("archive"), st.none(), st.none()),
    st.tuples(st.just("restore"), st.none(), st.none()),
    st.tuples(st.just("work"), st.none(), st.none()),
    st.tuples(st.just("wait"), st.sampled_from((5, 200, 700)), st.none()),
    st.tuples(st.just("by hand"), st.sampled_from((1, 2)), st.none()),
    st.tuples(st.just("fault"), st.sampled_from(FAULTS), st.none()),
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(story=st.lists(deeds, max_size=14))
def test_the_cloud_ends_as_wanted(story: list[tuple[str, object, object]]) -> None:
    with transaction.atomic(), emulated_site(projects=1, servers=0, volumes=0) as site:
        tenancy = site.tenancy(owner=site.person("mira"))
        for name in NAMES:
            site.person(name)
        for verb, what, how in story:
            DEEDS[verb](site, what, how)
        site.emulated.heal()
        survey.run(site.cloud.pk, "test")
        site.settle()
        as_wanted(site, Tenancy.objects.get(pk=tenancy.pk))
        transaction.set_rollback(True)


def as_wanted(site: Site, tenancy: Tenancy) -> None:
    if not tenancy.native_id:
        assert tenancy.wanted == Tenancy.Wanted.SUSPENDED
        return
    closed = tenancy.wanted == Tenancy.Wanted.SUSPENDED
    members = Membership.objects.current().filter(project=tenancy.project).select_related("person")
    wanted = {(m.person.username, "reader" if m.role == "viewer" else "member") for m in members}
    assert site.roles(tenancy) == (set() if closed else wanted)
    assert site.native_project(tenancy)["enabled"] is not closed
    assert site.cores(tenancy) == tenancy.limits.get(resource="compute.vcpu").amount // 1000
    site.emulated.forget()
    claims.look_again(Tenancy.objects.all())
    site.work()
    assert site.writes() == []


def join(site: Site, name: object, role: object) -> None:
    person = Person.objects.get(username=name)
    here = Membership.objects.current().filter(person=person).first()
    try:
        if here is None:
            member_add(actor=None, project=Tenancy.objects.get().project, person=person, role=str(role))
        else:
            member_role_change(actor=None, membership=here, role=str(role))
    except RuleError:
        assert Tenancy.objects.get().wanted == Tenancy.Wanted.SUSPENDED


def leave(site: Site, name: object, _: object) -> None:
    here = Membership.objects.current().filter(person__username=name).first()
    if here is not None:
        member_remove(actor=None, membership=here)


def limit(site: Site, cores: object, _: object) -> None:
    tenancy = Tenancy.objects.get()
    if tenancy.wanted == Tenancy.Wanted.OPEN:
        wanted = dict(tenancy.limits.values_list("resource", "amount")) | {"compute.vcpu": int(str(cores)) * 1000}
        limits_set(actor=None, tenancy=tenancy, limits=wanted, reason="test")


def archive(site: Site, *_: object) -> None:
    tenancy = Tenancy.objects.get()
    if tenancy.wanted == Tenancy.Wanted.OPEN:
        project_archive(actor=None, project=tenancy.project, reason="test")


def restore(site: Site, *_: object) -> None:
    tenancy = Tenancy.objects.get()
    if tenancy.wanted == Tenancy.Wanted.SUSPENDED:
        project_restore(actor=None, project=tenancy.project, reason="test")


def by_hand(site: Site, cores: object, _: object) -> None:
    tenancy = Tenancy.objects.get()
    if tenancy.native_id:
        path = f"/compute/v2.1/os-quota-sets/{tenancy.native_id}"
        site.emulated.heal()
        site.emulated.request("PUT", path, {"quota_set": {"cores": cores, "force": True}})


DEEDS: dict[str, Callable[[Site, object, object], object]] = {
    "join": join,
    "leave": leave,
    "limit": limit,
    "archive": archive,
    "restore": restore,
    "by hand": by_hand,
    "work": lambda site, *_: site.work(),
    "wait": lambda site, seconds, _: site.emulated.advance(float(str(seconds))),
    "fault": lambda site, rule, _: site.emulated.fault(**rule),  # type: ignore[arg-type]
}
