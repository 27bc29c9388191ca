"""Grants become limits: over time, over clouds, and back from what was found on a cloud."""

import datetime as dt

import pytest

from connectors.types import UNLIMITED
from events.models import AuditEntry
from quotas import services
from quotas.catalog import RESOURCES
from quotas.models import Grant, Share
from quotas.selectors import grants_of, project_limits
from quotas.tasks import limits_refresh
from tenancy.errors import NotAllowed, RuleError
from tenancy.models import Tenancy
from tenancy.services import project_archive, project_restore
from tests.quotas.world import NOW, TODAY, at, cloud_make, days, limits_of, project_make, reading_make, tenancy_make

VCPU, MEMORY, PORTS, VOLUME = "compute.vcpu", "compute.memory", "network.ports", "storage.volume"


def give(world, resource=VCPU, amount=8000, **fields):
    return services.grant_give(
        actor=world.operator, project=world.project, resource=resource, amount=amount, why="a paper", **fields
    )


def test_a_tenancy_without_a_grant_has_the_defaults(world, tenancy):
    assert services.limits_refresh(project=world.project) == 1
    assert limits_of(tenancy) == {key: each.default for key, each in RESOURCES.items()}
    assert services.limits_refresh(project=world.project) == 0


def test_a_grant_becomes_the_limit_at_once_and_is_audited(world, tenancy):
    grant = give(world)
    assert limits_of(tenancy)[VCPU] == 8000
    assert limits_of(tenancy)[PORTS] == 50
    entry = AuditEntry.objects.get(target_id=str(grant.pk))
    assert entry.summary == "Granted 8 vCPU from 2026-11-20: a paper"
    assert entry.actor == world.operator


def test_the_first_grant_takes_the_place_of_the_default_and_the_second_adds(world, tenancy):
    give(world, PORTS, 20)
    assert limits_of(tenancy)[PORTS] == 20
    give(world, PORTS, 5)
    assert limits_of(tenancy)[PORTS] == 25


def test_a_grant_begins_and_runs_out_by_the_daily_round(world, tenancy):
    give(world, amount=4000)
    give(world, amount=8000, starts_on=TODAY + days(2), ends_on=TODAY + days(3))
    seen = {}
    for day in range(6):
        at(NOW + days(day))
        limits_refresh()
        seen[day] = limits_of(tenancy)[VCPU]
    assert seen == {0: 4000, 1: 4000, 2: 12_000, 3: 12_000, 4: 4000, 5: 4000}


def test_one_project_that_fails_does_not_stop_the_daily_round(world, tenancy):
    broken = project_make("aaa")
    tenancy_make(broken, cloud_make("nowhere", kind="uninstalled"))
    give(world, starts_on=TODAY + days(1))
    at(NOW + days(1))
    assert limits_refresh() == [1, 1]
    assert limits_of(tenancy)[VCPU] == 8000


def test_ending_a_grant_takes_its_limit_away_and_only_once(world, tenancy):
    grant = give(world)
    services.grant_end(actor=world.operator, grant=grant, reason="the paper is out")
    assert limits_of(tenancy)[VCPU] == 0
    assert grant.state_on(TODAY) == Grant.State.ENDED
    with pytest.raises(RuleError, match="ended already"):
        services.grant_end(actor=world.operator, grant=grant, reason="again")


def test_a_suspended_tenancy_gets_nothing(world, tenancy):
    give(world)
    Tenancy.objects.filter(pk=tenancy.pk).update(wanted=Tenancy.Wanted.SUSPENDED)
    services.limits_refresh(project=world.project)
    assert set(limits_of(tenancy).values()) == {0}


@pytest.mark.parametrize("who", ["owner", "manager", "member", "viewer", "stranger", "reviewer", "finance"])
def test_only_operators_give_and_end_grants(world, tenancy, who):
    grant = give(world)
    person = world.people[who]
    with pytest.raises(NotAllowed):
        services.grant_give(actor=person, project=world.project, resource=VCPU, amount=1000, why="x")
    with pytest.raises(NotAllowed):
        services.grant_end(actor=person, grant=grant, reason="x")
    assert limits_of(tenancy)[VCPU] == 8000


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"resource": "gpu.a100"}, "resource", "no resource"),
        ({"amount": 2_049_000}, "amount", "between 0 and 2,048 vCPU"),
        ({"amount": 1500}, "amount", "steps of 1 vCPU"),
        ({"amount": -7}, "amount", "not an amount"),
        ({"ends_on": TODAY - days(1)}, "ends_on", "before it begins"),
    ],
)
def test_what_cannot_be_granted(world, tenancy, fields, field, says):
    with pytest.raises(RuleError, match=says) as refusal:
        give(world, **fields)
    assert refusal.value.field == field
    assert not Grant.objects.exists()


def test_no_limit_is_granted_as_such_and_zero_is_not_the_default(world, tenancy):
    give(world, PORTS, UNLIMITED)
    give(world, "network.routers", 0)
    assert limits_of(tenancy)[PORTS] == UNLIMITED
    assert limits_of(tenancy)["network.routers"] == 0


def test_a_restored_project_gets_its_limits_back_by_the_round(world, tenancy):
    give(world)
    project_archive(actor=world.owner, project=world.project, reason="done")
    assert set(limits_of(tenancy).values()) == {0}
    assert limits_refresh() == [0, 0]
    project_restore(actor=world.operator, project=world.project, reason="not done")
    assert limits_refresh() == [1, 0]
    assert limits_of(tenancy)[VCPU] == 8000
    assert limits_refresh() == [0, 0]


def test_the_round_takes_as_many_queries_with_50_projects_in_step_as_with_one(
    world, tenancy, django_assert_num_queries
):
    give(world)
    with django_assert_num_queries(4):
        assert limits_refresh() == [0, 0]
    for number in range(50):
        project = project_make(f"p{number}")
        tenancy_make(project, tenancy.cloud)
        services.limits_refresh(project=project)
    with django_assert_num_queries(4):
        assert limits_refresh() == [0, 0]


# several clouds


@pytest.fixture
def second(world, tenancy, lake):
    return tenancy_make(world.project, lake)


def divide(world, shares, who="owner", resource=VOLUME):
    services.division_set(
        actor=world.people[who],
        project=world.project,
        resource=resource,
        shares={tenancy.pk: amount for tenancy, amount in shares.items()},
    )


def test_an_owner_divides_a_promise(world, tenancy, second):
    give(world, VOLUME, 100 * 1024)
    divide(world, {tenancy: 60 * 1024, second: 40 * 1024})
    assert limits_of(tenancy)[VOLUME] == 60 * 1024
    assert limits_of(second) == {VOLUME: 40 * 1024, "storage.volumes": 10}


def test_what_the_second_cloud_does_not_enforce_stays_with_the_first(world, tenancy, second):
    give(world, VCPU, 8000)
    assert limits_of(tenancy)[VCPU] == 8000
    assert VCPU not in limits_of(second)


@pytest.mark.parametrize("who", ["manager", "member", "viewer", "stranger", "reviewer"])
def test_only_owners_divide(world, tenancy, second, who):
    give(world, VOLUME, 1024)
    with pytest.raises(NotAllowed):
        divide(world, {tenancy: 1024, second: 0}, who)


def test_a_division_beyond_the_promise_names_both_amounts(world, tenancy, second):
    give(world, VOLUME, 100 * 1024)
    with pytest.raises(RuleError, match="101 GiB divided, but 100 GiB promised") as refusal:
        divide(world, {tenancy: 100 * 1024, second: 1024})
    assert refusal.value.remedy == "Take 1 GiB away somewhere, or ask for more."
    assert not Share.objects.exists()


def test_a_share_below_what_is_in_use_names_the_use(world, tenancy, second):
    give(world, VOLUME, 100 * 1024)
    reading_make(second, VOLUME, 50 * 1024, 30 * 1024)
    with pytest.raises(RuleError, match="lake would get 20 GiB, but 30 GiB are in use there"):
        divide(world, {tenancy: 80 * 1024, second: 20 * 1024})


def test_when_a_grant_ends_the_shares_shrink_and_come_back_with_the_next(world, tenancy, second):
    grant = give(world, VOLUME, 100 * 1024)
    give(world, VOLUME, 100 * 1024)
    divide(world, {tenancy: 150 * 1024, second: 50 * 1024})
    services.grant_end(actor=world.operator, grant=grant, reason="budget")
    assert (limits_of(tenancy)[VOLUME], limits_of(second)[VOLUME]) == (75 * 1024, 25 * 1024)
    give(world, VOLUME, 100 * 1024)
    assert (limits_of(tenancy)[VOLUME], limits_of(second)[VOLUME]) == (150 * 1024, 50 * 1024)


# raising a promise to limits that were asked for


def raise_to(world, targets, **fields):
    return services.promise_raise(
        actor=world.reviewer,
        project=world.project,
        targets={tenancy.pk: amounts for tenancy, amounts in targets.items()},
        why="request",
        **fields,
    )


def test_a_promise_is_raised_by_what_is_missing(world, tenancy):
    give(world, VCPU, 8000)
    (grant,) = raise_to(world, {tenancy: {VCPU: 20_000}})
    assert grant.amount == 12_000
    assert limits_of(tenancy)[VCPU] == 20_000


def test_a_dated_raise_over_a_default_falls_back_to_the_default(world, tenancy):
    services.limits_refresh(project=world.project)
    raise_to(world, {tenancy: {PORTS: 70}}, ends_on=TODAY + days(1))
    assert limits_of(tenancy)[PORTS] == 70
    at(NOW + days(2))
    limits_refresh()
    assert limits_of(tenancy)[PORTS] == 50


def test_a_second_cloud_leaves_the_first_as_it_was(world, tenancy, lake):
    give(world, VOLUME, 100 * 1024)
    give(world, "storage.volumes", 30)
    second = tenancy_make(world.project, lake)
    raise_to(world, {second: {VOLUME: 20 * 1024}})
    assert limits_of(tenancy)[VOLUME] == 100 * 1024
    assert limits_of(tenancy)["storage.volumes"] == 30
    assert limits_of(second) == {VOLUME: 20 * 1024, "storage.volumes": 10}


def test_what_is_not_divided_is_used_before_more_is_granted(world, tenancy, second):
    give(world, VOLUME, 100 * 1024)
    divide(world, {tenancy: 50 * 1024, second: 20 * 1024})
    assert raise_to(world, {second: {VOLUME: 50 * 1024}}) == []
    assert limits_of(tenancy)[VOLUME] == 50 * 1024
    assert limits_of(second)[VOLUME] == 50 * 1024


def test_only_reviewers_and_operators_raise(world, tenancy):
    with pytest.raises(NotAllowed):
        services.promise_raise(actor=world.owner, project=world.project, targets={}, why="x")


# adoption


FOUND = {key: 7 * each.step for key, each in RESOURCES.items()}


def test_adopting_changes_no_limit(world, tenancy):
    found = FOUND | {PORTS: 50, MEMORY: UNLIMITED, "network.routers": 0}
    services.grants_from_found(actor=world.operator, tenancy=tenancy, found=found)
    assert limits_of(tenancy) == found
    assert not Grant.objects.filter(resource=PORTS).exists()  # the default needs no grant
    assert set(Grant.objects.values_list("origin", flat=True)) == {Grant.Origin.ADOPTION}


def test_an_amount_that_nobody_could_ask_for_is_adopted_as_it_is(world, tenancy):
    found = FOUND | {MEMORY: 1001, VCPU: 9_999_000}
    services.grants_from_found(actor=world.operator, tenancy=tenancy, found=found)
    assert limits_of(tenancy) == found


def test_adopting_on_a_second_cloud_leaves_the_first_as_it_was(world, tenancy, lake):
    give(world, VOLUME, 100 * 1024)
    before = limits_of(tenancy)
    second = tenancy_make(world.project, lake)
    services.grants_from_found(actor=world.operator, tenancy=second, found={VOLUME: 5120, "storage.volumes": 3})
    assert limits_of(tenancy) == before
    assert limits_of(second) == {VOLUME: 5120, "storage.volumes": 3}


def test_an_incomplete_survey_cannot_be_adopted(world, tenancy):
    with pytest.raises(RuleError, match="were not found: vCPU"):
        services.grants_from_found(
            actor=world.operator, tenancy=tenancy, found={key: 1 for key in FOUND if key != VCPU}
        )
    assert not Grant.objects.exists()


def test_a_project_that_is_promised_more_than_was_found_is_not_adopted_silently(world, tenancy):
    give(world, VCPU, 80_000)
    with pytest.raises(RuleError, match="allows 7 vCPU, but the project is promised 80 vCPU"):
        services.grants_from_found(actor=world.operator, tenancy=tenancy, found=FOUND)
    assert Grant.objects.count() == 1


# reading it all


def test_project_limits_tells_promise_limit_use_and_what_is_not_divided(world, tenancy, second):
    give(world, VOLUME, 100 * 1024)
    divide(world, {tenancy: 60 * 1024, second: 30 * 1024})
    reading_make(tenancy, VOLUME, 60 * 1024, 12 * 1024, at=NOW - dt.timedelta(hours=2))
    table = project_limits(world.project)
    assert [each.cloud.title for each in table.tenancies] == ["lake", "north"]
    row = next(row for row in table.rows if row.catalog.key == VOLUME)
    assert (row.promise, row.undivided, row.by_default) == (100 * 1024, 10 * 1024, False)
    lake, north = row.cells
    assert (lake.used, lake.limit, lake.pending) == (None, 30 * 1024, True)
    assert (north.used, north.limit, north.pending) == (12 * 1024, 60 * 1024, False)
    ports = next(row for row in table.rows if row.catalog.key == PORTS)
    assert ports.cells[0] is None
    assert ports.by_default
    assert table.read_at == NOW - dt.timedelta(hours=2)


def test_the_limits_of_a_project_take_as_many_queries_with_one_grant_as_with_many(
    world, tenancy, second, django_assert_num_queries
):
    for _ in range(30):
        give(world, VOLUME, 1024)
    with django_assert_num_queries(4):
        project_limits(world.project)
    with django_assert_num_queries(1):
        assert len([(grant.by.name, grant.project.title) for grant in grants_of(world.project)]) == 30
