"""What may be asked for, who decides, and that an approval sets everything up exactly once."""

import datetime as dt
import threading

import pytest
from django.db import connection

from events.models import AuditEntry, Outbox
from onboarding import services
from onboarding.models import Request
from onboarding.selectors import decision_pace, queue_figures, requests_visible
from quotas import services as quotas
from quotas.models import Grant
from tenancy.errors import NotAllowed, RuleError, Stale
from tenancy.models import Cloud, Membership, Project, Tenancy
from tests.quotas.world import NOW, TODAY, at, cloud_make, days, limits_of

VCPU, MEMORY, PORTS, VOLUME = "compute.vcpu", "compute.memory", "network.ports", "storage.volume"


@pytest.fixture
def ask(world, north):
    """Asks for a new project on north as the stranger; any field can be given anew."""

    def _ask(**fields):
        wish = {
            "actor": world.stranger,
            "kind": Request.Kind.NEW,
            "title": "Kelp forest monitoring",
            "purpose": "research",
            "description": "Detect kelp cover in drone images.",
            "institution": world.institution,
            "starts_on": TODAY,
            "ends_on": TODAY + days(365),
            "clouds": [north],
            "lines": {(north.pk, VCPU): 8000, (north.pk, MEMORY): 32 * 1024, (north.pk, PORTS): 50},
        }
        return services.request_submit(**(wish | fields))

    return _ask


@pytest.fixture
def more(world, tenancy, north):
    """Asks for more vCPU for the project as its manager."""
    quotas.limits_refresh(project=world.project)

    def _more(**fields):
        wish = {
            "actor": world.manager,
            "kind": Request.Kind.MORE,
            "description": "The December run is larger.",
            "project": world.project,
            "clouds": [north],
            "lines": {(north.pk, VCPU): 16_000},
        }
        return services.request_submit(**(wish | fields))

    return _more


def approve(world, request, **fields):
    return services.request_approve(actor=world.reviewer, request=request, **fields)


# asking


def test_a_request_keeps_what_is_asked_beyond_the_defaults(world, ask):
    request = ask()
    assert request.state == Request.State.SUBMITTED
    assert request.slug == "kelp-forest-monitoring"
    assert dict(request.lines.values_list("resource", "amount")) == {VCPU: 8000, MEMORY: 32 * 1024}
    assert AuditEntry.objects.get(verb="request.submitted").actor == world.stranger


def test_reviewers_and_operators_get_a_mail_and_nobody_else(world, ask):
    request = ask()
    mails = {mail.to: mail for mail in Outbox.objects.all()}
    assert set(mails) == {"reviewer@example.org", "operator@example.org"}
    body = mails["reviewer@example.org"].body
    assert "north: 8 vCPU\n" in body
    assert "north: 32 GiB memory" in body
    assert f"/requests/{request.pk}/" in body


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"title": " x "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"purpose": "canary"}, "purpose"),
        ({"purpose": ""}, "purpose"),
        ({"description": "short"}, "description"),
        ({"starts_on": TODAY - days(1)}, "starts_on"),
        ({"starts_on": None}, "starts_on"),
        ({"ends_on": TODAY}, "ends_on"),
        ({"ends_on": None}, "ends_on"),
        ({"ends_on": TODAY + days(4000)}, "ends_on"),
        ({"clouds": []}, "clouds"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_its_field(ask, fields, field):
    with pytest.raises(RuleError) as refusal:
        ask(**fields)
    assert refusal.value.field == field
    assert not Request.objects.exists()


@pytest.mark.parametrize(
    ("resource", "amount", "says"),
    [
        (VCPU, 2_049_000, "vCPU must be between 0 and 2,048 vCPU."),
        (VCPU, 1500, "steps of 1 vCPU"),
        (VCPU, -1, "no limit at all cannot be asked for"),
        ("gpu.a100", 1, "cannot be asked for there"),
    ],
)
def test_an_amount_outside_the_bounds_is_refused_at_its_line(ask, north, resource, amount, says):
    with pytest.raises(RuleError, match=says) as refusal:
        ask(lines={(north.pk, resource): amount})
    assert refusal.value.field in (f"lines.north.{resource}", "lines")


def test_a_cloud_that_is_only_observed_cannot_be_asked_for(ask):
    with pytest.raises(RuleError, match="takes no projects at present"):
        ask(clouds=[cloud_make("seen", mode=Cloud.Mode.OBSERVE)], lines={})


def test_a_second_click_does_not_make_a_second_request(ask):
    ask()
    with pytest.raises(RuleError, match="open already"):
        ask()
    assert Request.objects.count() == 1


def test_two_projects_of_one_title_get_names_of_their_own(world, ask):
    first, second = ask(), ask(actor=world.member)
    approve(world, first)
    approve(world, second)
    assert set(Project.objects.values_list("slug", flat=True)) == {
        "kelp",
        "kelp-forest-monitoring",
        "kelp-forest-monitoring-2",
    }


def test_the_29th_of_february_is_an_ordinary_day(ask):
    at(dt.datetime(2028, 2, 29, 12, tzinfo=dt.UTC))
    day = dt.date(2028, 2, 29)
    ask(starts_on=day, ends_on=dt.date(2031, 2, 28))
    with pytest.raises(RuleError, match="until 2031-02-28 at most"):
        ask(title="Another", starts_on=day, ends_on=dt.date(2031, 3, 1))


# deciding


def test_an_approval_sets_up_project_owner_tenancy_grants_and_limits(world, ask, north):
    request = approve(world, ask(), reason="welcome")
    project = Project.objects.get(slug="kelp-forest-monitoring")
    assert request.project == project
    assert (project.institution, project.ends_on) == (world.institution, TODAY + days(365))
    assert [(m.person, m.role) for m in project.memberships.all()] == [(world.stranger, Membership.Role.OWNER)]
    limits = limits_of(project.tenancies.get(cloud=north))
    assert (limits[VCPU], limits[MEMORY], limits[PORTS], limits[VOLUME]) == (8000, 32 * 1024, 50, 0)
    grant = project.grants.get(resource=VCPU)
    assert (grant.origin, grant.origin_ref, grant.by) == (Grant.Origin.REQUEST, str(request.pk), world.reviewer)
    mail = Outbox.objects.get(to="stranger@example.org")
    assert "welcome" in mail.body
    assert "north: 8 vCPU" in mail.body


def test_other_amounts_can_be_granted_than_asked(world, ask, north):
    request = ask()
    line = request.lines.get(resource=VCPU)
    approve(world, request, granted={line.pk: 4000})
    line.refresh_from_db()
    assert (line.amount, line.granted) == (8000, 4000)
    assert limits_of(request.project.tenancies.get())[VCPU] == 4000
    assert "8 vCPU" in Outbox.objects.get(to="stranger@example.org").body  # "you asked for 8 vCPU"


def test_a_project_of_the_future_has_its_limits_from_its_first_day(world, ask):
    request = approve(world, ask(starts_on=TODAY + days(3)))
    tenancy = request.project.tenancies.get()
    assert limits_of(tenancy)[VCPU] == 0
    at(NOW + days(3))
    quotas.limits_refresh_all()
    assert limits_of(tenancy)[VCPU] == 8000


def test_of_two_approvals_at_once_one_does_it(world, ask):
    request = ask()
    late = Request.objects.get(pk=request.pk)
    approve(world, request)
    with pytest.raises(Stale, match="was approved by Reviewer meanwhile"):
        services.request_approve(actor=world.operator, request=late)
    assert Project.objects.filter(slug__startswith="kelp-forest").count() == 1
    assert Tenancy.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_approvals_in_two_threads_make_one_project(world, ask):
    request = ask()
    gate, ends = threading.Barrier(2), []

    def decide(person):
        try:
            mine = Request.objects.get(pk=request.pk)
            gate.wait(10)
            services.request_approve(actor=person, request=mine)
            ends.append("approved")
        except Stale:
            ends.append("came second")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[person]) for person in (world.reviewer, world.operator)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ends) == ["approved", "came second"]
    assert Project.objects.filter(slug__startswith="kelp-forest").count() == 1
    assert Grant.objects.filter(resource=VCPU).count() == 1


@pytest.mark.parametrize("second", ["approve", "refuse", "withdraw"])
@pytest.mark.parametrize("first", ["approve", "refuse", "withdraw"])
def test_a_request_is_decided_once(world, ask, first, second):
    request = ask()
    verbs = {
        "approve": lambda: approve(world, request),
        "refuse": lambda: services.request_refuse(actor=world.reviewer, request=request, reason="no"),
        "withdraw": lambda: services.request_withdraw(actor=world.stranger, request=request),
    }
    verbs[first]()
    state = request.state
    with pytest.raises(Stale):
        verbs[second]()
    request.refresh_from_db()
    assert request.state == state


def test_nothing_is_left_of_an_approval_that_fails(world, ask):
    request = ask()
    line = request.lines.get(resource=VCPU)
    with pytest.raises(RuleError, match="between 0 and 2,048 vCPU") as refusal:
        approve(world, request, granted={line.pk: 9_000_000})
    assert refusal.value.field == "lines.north.compute.vcpu"
    assert Request.objects.get(pk=request.pk).state == Request.State.SUBMITTED
    assert not Project.objects.filter(slug__startswith="kelp-forest").exists()
    assert not Grant.objects.exists()
    assert not Outbox.objects.filter(to="stranger@example.org").exists()


def test_a_line_of_another_request_cannot_be_granted_here(world, ask):
    first, second = ask(), ask(title="Another one")
    with pytest.raises(RuleError, match="does not have"):
        approve(world, first, granted={second.lines.first().pk: 1000})


def test_a_refusal_needs_a_reason_and_tells_it(world, ask):
    request = ask()
    with pytest.raises(RuleError, match="needs a reason"):
        services.request_refuse(actor=world.reviewer, request=request, reason="  ")
    services.request_refuse(actor=world.reviewer, request=request, reason="Use the teaching project.")
    assert "Use the teaching project." in Outbox.objects.get(to="stranger@example.org").body
    assert not Project.objects.filter(slug__startswith="kelp-forest").exists()


@pytest.mark.parametrize("who", ["owner", "manager", "member", "viewer", "stranger", "finance", "institution_admin"])
def test_only_reviewers_and_operators_decide(world, ask, who):
    request = ask()
    with pytest.raises(NotAllowed):
        services.request_approve(actor=world.people[who], request=request)
    with pytest.raises(NotAllowed):
        services.request_refuse(actor=world.people[who], request=request, reason="no")
    assert Request.objects.get(pk=request.pk).is_open


@pytest.mark.parametrize(
    ("who", "may"),
    [("stranger", True), ("operator", True), ("owner", False), ("member", False), ("reviewer", False)],
)
def test_who_may_withdraw_a_request_for_a_new_project(world, ask, who, may):
    request = ask()
    if may:
        services.request_withdraw(actor=world.people[who], request=request)
    else:
        with pytest.raises(NotAllowed):
            services.request_withdraw(actor=world.people[who], request=request)
    assert Request.objects.get(pk=request.pk).is_open is not may


def test_many_are_approved_one_by_one(world, ask):
    good, bad = ask(), ask(title="Too late", actor=world.member)
    Request.objects.filter(pk=bad.pk).update(starts_on=TODAY - days(9), ends_on=TODAY - days(1))
    results = services.requests_approve(actor=world.reviewer, requests=Request.objects.order_by("-ends_on"))
    assert [(request.pk, error is None) for request, error in results] == [(good.pk, True), (bad.pk, False)]
    assert Request.objects.get(pk=bad.pk).is_open


# more, and longer


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("manager", True), ("member", False), ("viewer", False)])
def test_owners_and_managers_ask_for_more(world, more, who, may):
    if may:
        more(actor=world.people[who])
    else:
        with pytest.raises(NotAllowed):
            more(actor=world.people[who])
    assert Request.objects.exists() is may


def test_more_raises_the_limit_and_remembers_what_was_there(world, more, tenancy):
    quotas.grant_give(actor=world.operator, project=world.project, resource=VCPU, amount=4000, why="start")
    request = more()
    assert request.lines.get().before == 4000
    approve(world, request)
    assert limits_of(tenancy)[VCPU] == 16_000
    assert sorted(Grant.objects.filter(resource=VCPU).values_list("amount", flat=True)) == [4000, 12_000]


def test_more_until_a_day_ends_after_it(world, more, tenancy):
    approve(world, more(ends_on=TODAY + days(10)))
    assert limits_of(tenancy)[VCPU] == 16_000
    at(NOW + days(11))
    quotas.limits_refresh_all()
    assert limits_of(tenancy)[VCPU] == 0


def test_more_that_was_granted_meanwhile_takes_nothing_away(world, more, tenancy):
    request = more()
    quotas.grant_give(actor=world.operator, project=world.project, resource=VCPU, amount=64_000, why="by hand")
    approve(world, request)
    assert limits_of(tenancy)[VCPU] == 64_000


def test_less_is_not_more(world, more, north, tenancy):
    with pytest.raises(RuleError, match="50 are in force; 20 would be less") as refusal:
        more(lines={(north.pk, PORTS): 20, (north.pk, VCPU): 8000})
    assert refusal.value.field == "lines.north.network.ports"
    with pytest.raises(RuleError, match="Nothing here is more"):
        more(lines={(north.pk, PORTS): 50})


def test_another_cloud_can_be_asked_for(world, more, lake):
    approve(world, more(clouds=[lake], lines={(lake.pk, VOLUME): 2048}))
    assert limits_of(world.project.tenancies.get(cloud=lake)) == {VOLUME: 2048, "storage.volumes": 10}


def test_an_archived_project_asks_for_nothing(world, more):
    request = more()
    Project.objects.filter(pk=world.project.pk).update(state=Project.State.ARCHIVED)
    world.project.refresh_from_db()
    with pytest.raises(RuleError, match="archived"):
        more(lines={})
    with pytest.raises(RuleError, match="not open any more"):
        approve(world, Request.objects.get(pk=request.pk))


def test_a_renewal_moves_the_last_day_and_nothing_else(world, more, tenancy):
    before = limits_of(tenancy)
    request = more(kind=Request.Kind.RENEWAL, clouds=(), lines=None, ends_on=TODAY + days(700))
    approve(world, request)
    world.project.refresh_from_db()
    assert world.project.ends_on == TODAY + days(700)
    assert limits_of(tenancy) == before
    with pytest.raises(RuleError, match="Give a last day after"):
        more(kind=Request.Kind.RENEWAL, clouds=(), lines=None, ends_on=TODAY + days(600))


# reading


def test_who_sees_which_requests(world, ask, more):
    new, extra = ask(institution=None), more()
    Request.objects.filter(pk=extra.pk).update(institution=world.institution)
    sees = {name: set(requests_visible(world.fresh(name)).values_list("pk", flat=True)) for name in world.people}
    assert sees == {
        "stranger": {new.pk},
        "owner": {extra.pk},
        "manager": {extra.pk},
        "institution_admin": {extra.pk},
        "reviewer": {new.pk, extra.pk},
        "operator": {new.pk, extra.pk},
        "member": set(),
        "viewer": set(),
        "finance": set(),
    }


def test_figures_of_the_queue(world, ask):
    assert decision_pace().median is None
    for hours in (1, 3, 50):
        at(NOW)
        request = ask(title=f"Project {hours}")
        at(NOW + dt.timedelta(hours=hours))
        services.request_refuse(actor=world.reviewer, request=request, reason="no")
    at(NOW)
    ask(title="Still waiting")
    assert decision_pace().median == dt.timedelta(hours=3)
    figures = queue_figures(requests_visible(world.reviewer))
    assert (figures.waiting, figures.decided, figures.oldest) == (1, 3, NOW)
