"""The planner: what it does with generated clouds (properties), and each reason for which it holds a change back."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.plan import ORDER, DriftKind, Found, Hold, TenancyPlan, plan_cloud, plan_tenancy, suspect_sections
from connectors.plan.planner import TAKING
from connectors.types import (
    UNLIMITED,
    AccountRef,
    ChangeKind,
    EndedMember,
    FoundLimit,
    FoundMember,
    FoundTenancy,
    FoundWork,
    Mode,
    Role,
    Survey,
    Takes,
    Wanted,
    WantedLimit,
    WantedMember,
    WantedTenancy,
)
from tests.connectors import model

REF, ID = "ref1", "t-ref1"
PEOPLE = [f"p{number}" for number in range(5)]
AMOUNTS = st.sampled_from([UNLIMITED, 0, 1, 10, 5000])


def person(name: str, *, known: bool = True) -> AccountRef:
    return AccountRef(name, name, model.account_id(name) if known else "")


@st.composite
def cases(draw: st.DrawFn) -> tuple[WantedTenancy, Survey]:
    """A wanted tenancy and any survey of a cloud that holds it, half of it, or something else in its place."""
    people = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    cut = draw(st.integers(0, len(people)))
    unknown = draw(st.sets(st.sampled_from(PEOPLE)))
    roles = st.sampled_from(list(Role))
    wanted = WantedTenancy(
        REF,
        "name1",
        7,
        native_id=draw(st.sampled_from(["", ID])),
        state=draw(st.sampled_from(list(Wanted))),
        members=tuple(WantedMember(person(p, known=p not in unknown), draw(roles)) for p in people[:cut]),
        ended=tuple(EndedMember(person(p), draw(roles), decided=draw(st.booleans())) for p in people[cut:]),
        limits=tuple(WantedLimit(key, draw(AMOUNTS)) for key in draw(st.sets(st.sampled_from(list(model.SECTIONS))))),
        restart=tuple(draw(st.sets(st.sampled_from(["w1", "w2"])))),
    )
    found = draw(_surveys(bool(wanted.native_id)))
    # Whoever has no account yet has no role yet.
    members = [row for row in found.members if row.account not in {model.account_id(name) for name in unknown}]
    return wanted, replace(found, members=tuple(members))


@st.composite
def _surveys(draw: st.DrawFn, recorded: bool) -> Survey:
    there = recorded or draw(st.booleans())
    tag = draw(st.sampled_from(["", REF])) if recorded else REF
    here = FoundTenancy(ID, "name1", tag, enabled=draw(st.booleans()))
    native_roles = st.sampled_from(["manager", "member", "reader", "somebody-elses-role"])
    members = st.builds(
        FoundMember,
        st.just(ID),
        st.sampled_from([*(model.account_id(p) for p in PEOPLE), "u-stranger", "u-own"]),
        native_roles,
        group=st.sampled_from(["", "", "a-group"]),
        inherited=st.sampled_from([False, False, True]),
    )
    return model.survey(
        tenancies=[here, FoundTenancy("t-other", "other")] if there else [FoundTenancy("t-other", "other")],
        members=draw(st.lists(members, max_size=8, unique=True)) if there else [],
        limits=[FoundLimit(ID, k, draw(AMOUNTS), 0, s) for k, s in model.SECTIONS.items()] if there else [],
        work=[FoundWork(ID, w, w, draw(st.booleans())) for w in ("w1", "w2")] if there else [],
    )


def plan(wanted: WantedTenancy, found: Survey, mode: Mode = Mode.ENFORCE, **more: object) -> TenancyPlan:
    return plan_tenancy(wanted, Found(found), model.policy(mode, **more))


@given(cases())
@settings(max_examples=300, deadline=None)
def test_an_applied_plan_leaves_nothing_to_do(case: tuple[WantedTenancy, Survey]) -> None:
    wanted, found = case
    for change in plan(wanted, found).changes:
        found = model.apply(found, change)
    again = plan(model.link(wanted, found), found)
    assert again.changes == ()
    assert again.settled is not bool(again.held)


@given(cases())
@settings(max_examples=200, deadline=None)
def test_every_change_is_safe_to_repeat(case: tuple[WantedTenancy, Survey]) -> None:
    wanted, found = case
    changes = plan(wanted, found).changes
    once = found
    for change in changes:
        once = model.apply(once, change)
        if change.kind is not ChangeKind.TENANCY_CREATE:
            assert set(model.apply(once, change).members) == set(once.members)
    assert len({(change.kind, change.target) for change in changes}) == len(changes)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_observing_changes_nothing(case: tuple[WantedTenancy, Survey]) -> None:
    wanted, found = case
    assert plan(wanted, found, Mode.OBSERVE).changes == ()


@given(cases())
@settings(max_examples=200, deadline=None)
def test_add_only_takes_nothing_away(case: tuple[WantedTenancy, Survey]) -> None:
    wanted, found = case
    changes = plan(wanted, found, Mode.ADD_ONLY).changes
    assert all(change.takes is Takes.NOTHING and change.kind not in TAKING for change in changes)


@given(cases(), st.sampled_from(model.ALL_SECTIONS))
@settings(max_examples=300, deadline=None)
def test_an_incomplete_section_takes_nothing_of_its_own_and_hinders_no_other(
    case: tuple[WantedTenancy, Survey], section: str
) -> None:
    wanted, found = case
    whole = plan(wanted, found)
    without = plan(wanted, model.survey(incomplete=[section], **_rows(found)))
    assert all(change.takes is Takes.NOTHING for change in without.changes if change.section == section)
    made = any(change.kind is ChangeKind.TENANCY_CREATE for change in whole.changes)
    if section != "tenancies" and not made:
        dependent = {section, "accounts"} if section == "members" else {section}
        others = [change for change in whole.changes if change.section not in dependent]
        assert [change for change in without.changes if change.section not in dependent] == others


def _rows(found: Survey) -> dict[str, object]:
    return {name: getattr(found, name) for name in ("tenancies", "accounts", "members", "limits", "work")}


@given(cases(), st.sampled_from(PEOPLE))
@settings(max_examples=200, deadline=None)
def test_our_own_account_and_project_are_untouchable(case: tuple[WantedTenancy, Survey], own: str) -> None:
    wanted, found = case
    mine = model.account_id(own)
    changes = plan(wanted, found, own_account=mine).changes
    assert all(change.account is None or change.account.native_id != mine for change in changes)
    if wanted.native_id:
        assert plan(wanted, found, own_tenancy=ID).changes == ()


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_the_order_is_that_of_the_kinds_and_not_of_the_rows(
    case: tuple[WantedTenancy, Survey], chance: random.Random
) -> None:
    wanted, found = case
    first = plan(wanted, found)
    shuffled = {name: chance.sample(rows, len(rows)) for name, rows in _rows(found).items()}  # type: ignore[arg-type]
    assert plan(wanted, model.survey(**shuffled)).changes == first.changes
    kinds = [ORDER[change.kind] for change in first.changes]
    assert kinds == sorted(kinds)


@given(cases())
@settings(max_examples=300, deadline=None)
def test_nobody_loses_what_was_not_ours_to_give(case: tuple[WantedTenancy, Survey]) -> None:
    wanted, found = case
    ours = {m.account.ref for m in wanted.members} | {e.account.ref for e in wanted.ended}
    for change in plan(wanted, found).changes:
        if change.kind is ChangeKind.MEMBER_REMOVE:
            assert change.account
            assert change.account.ref in ours
            assert change.role in model.ROLES.values()


# --- single rules ---


HERE = FoundTenancy(ID, "name1", REF)
OWNER = WantedMember(person("p0"), Role.OWNER)
BASE = WantedTenancy(REF, "name1", 1, native_id=ID, members=(OWNER,))
OWNS = FoundMember(ID, "u-p0", "manager")


def held(plan: TenancyPlan) -> list[tuple[ChangeKind, Hold]]:
    return [(one.change.kind, one.hold) for one in plan.held]


def test_a_new_project_is_made_with_its_people_and_limits_in_one_go() -> None:
    wanted = replace(
        BASE,
        native_id="",
        members=(WantedMember(person("p0", known=False), Role.OWNER),),
        limits=(WantedLimit("compute.vcpu", 4000),),
    )
    kinds = [change.kind for change in plan(wanted, model.survey()).changes]
    assert kinds == [
        ChangeKind.ACCOUNT_CREATE,
        ChangeKind.TENANCY_CREATE,
        ChangeKind.LIMIT_RAISE,
        ChangeKind.MEMBER_ADD,
    ]


def test_a_taken_name_is_held() -> None:
    found = model.survey(tenancies=[FoundTenancy("t-x", "name1")])
    assert held(plan(replace(BASE, native_id=""), found)) == [(ChangeKind.TENANCY_CREATE, Hold.NAME_TAKEN)]


def test_two_objects_with_our_mark_are_held() -> None:
    found = model.survey(tenancies=[FoundTenancy("t-x", "a", REF), FoundTenancy("t-y", "b", REF)])
    result = plan(replace(BASE, native_id=""), found)
    assert held(result) == [(ChangeKind.TENANCY_CREATE, Hold.DUPLICATE)]
    assert "t-x, t-y" in result.held[0].why


def test_an_object_with_the_mark_of_another_tenancy_is_left_alone() -> None:
    """Members and limits too: two tenancies must not both write to one object."""
    here = FoundTenancy("t-own", "name", ref="somebody-else")
    wanted = WantedTenancy(
        "own",
        "name",
        1,
        native_id="t-own",
        members=(WantedMember(person("ana"), Role.OWNER),),
        limits=(WantedLimit("compute.vcpu", 4),),
    )
    result = plan(
        wanted, model.survey(tenancies=[here], limits=[FoundLimit("t-own", "compute.vcpu", 9, 0, "limits.compute")])
    )
    assert result.changes == ()
    assert held(result) == [(ChangeKind.TENANCY_TAG, Hold.DUPLICATE)]


def test_an_object_that_vanished_is_not_made_again_by_itself() -> None:
    assert held(plan(BASE, model.survey())) == [(ChangeKind.TENANCY_CREATE, Hold.MISSING)]


def test_an_unread_list_of_projects_makes_no_second_one() -> None:
    result = plan(replace(BASE, native_id=""), model.survey(incomplete=["tenancies"]))
    assert result.changes == ()
    assert "tenancies" in result.unknown


def test_an_account_made_elsewhere_is_waited_for() -> None:
    stranger = AccountRef("p9", "p9", manage=False)
    wanted = replace(BASE, members=(OWNER, WantedMember(stranger, Role.MEMBER)))
    result = plan(wanted, model.survey(tenancies=[HERE], members=[OWNS]))
    assert set(held(result)) == {(ChangeKind.ACCOUNT_CREATE, Hold.NO_ACCOUNT), (ChangeKind.MEMBER_ADD, Hold.NO_ACCOUNT)}


def test_what_was_stopped_stays_stopped_with_its_reason() -> None:
    wanted = replace(BASE, limits=(WantedLimit("compute.vcpu", 1),))
    found = model.survey(
        tenancies=[HERE], members=[OWNS], limits=[FoundLimit(ID, "compute.vcpu", 5, 0, "limits.compute")]
    )
    stopped = {(REF, "limit:compute.vcpu"): (Hold.CONTESTED, "put back three times")}
    result = plan(wanted, found, stopped=stopped)
    assert held(result) == [(ChangeKind.LIMIT_CUT, Hold.CONTESTED)]
    assert result.held[0].why == "put back three times"


def test_a_halved_section_takes_nothing() -> None:
    gone = EndedMember(person("p1"), Role.MEMBER, decided=True)
    found = model.survey(tenancies=[HERE], members=[OWNS, FoundMember(ID, "u-p1", "member")])
    result = plan(replace(BASE, ended=(gone,)), found, suspect=frozenset({"members"}))
    assert held(result) == [(ChangeKind.MEMBER_REMOVE, Hold.SUSPECT)]


def test_the_last_owner_stays() -> None:
    gone = EndedMember(person("p0"), Role.OWNER, decided=True)
    wanted = replace(BASE, members=(), ended=(gone,))
    result = plan(wanted, model.survey(tenancies=[HERE], members=[OWNS]))
    assert held(result) == [(ChangeKind.MEMBER_REMOVE, Hold.LAST_OWNER)]


def test_a_closed_project_loses_access_before_limits_and_work_is_stopped() -> None:
    wanted = replace(BASE, state=Wanted.SUSPENDED, limits=(WantedLimit("compute.vcpu", 0),))
    found = model.survey(
        tenancies=[HERE],
        members=[OWNS],
        limits=[FoundLimit(ID, "compute.vcpu", 5, 0, "limits.compute")],
        work=[FoundWork(ID, "w1", "w1", running=True)],
    )
    kinds = [change.kind for change in plan(wanted, found).changes]
    assert kinds == [
        ChangeKind.MEMBER_REMOVE,
        ChangeKind.TENANCY_DISABLE,
        ChangeKind.WORK_STOP,
        ChangeKind.LIMIT_CUT,
    ]


def test_zero_and_unlimited_are_opposites() -> None:
    def kind(before: int, after: int) -> ChangeKind:
        found = model.survey(
            tenancies=[HERE], members=[OWNS], limits=[FoundLimit(ID, "compute.vcpu", before, 0, "limits.compute")]
        )
        return plan(replace(BASE, limits=(WantedLimit("compute.vcpu", after),)), found).changes[0].kind

    assert kind(UNLIMITED, 0) is ChangeKind.LIMIT_CUT
    assert kind(0, UNLIMITED) is ChangeKind.LIMIT_RAISE
    assert kind(UNLIMITED, 10**9) is ChangeKind.LIMIT_CUT


def test_strangers_are_told_and_left() -> None:
    found = model.survey(
        tenancies=[HERE, FoundTenancy("t-x", "x")],
        members=[OWNS, FoundMember(ID, "u-stranger", "member"), FoundMember(ID, "", "reader", group="staff")],
    )
    result = plan_cloud([BASE], found, model.policy())
    assert result.changes == ()
    assert [(drift.kind, drift.native_id) for drift in result.drift] == [(DriftKind.UNMANAGED, "t-x")]
    assert [drift.native_id for drift in result.tenancies[0].drift] == ["u-stranger", "staff"]


@pytest.mark.parametrize(
    ("now", "before", "suspect"),
    [(0, 1, True), (1, 2, True), (3, 4, False), (0, 0, False), (5, 4, False), (500, 1000, True)],
)
def test_empty_or_halved_is_suspect_at_any_size(now: int, before: int, suspect: bool) -> None:
    assert suspect_sections({"members": now}, {"members": before}) == (
        frozenset({"members"}) if suspect else frozenset()
    )
