"""Every address of the site: who is answered what, and how many queries a page may make.

Statuses are those of a request that would be right if the person may: a page that only refuses bad words would hide
a missing check of rights. 302 to a visitor is the way to the sign-in page; a stranger gets 404 where they must not
learn that something exists.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from onboarding.models import Request
from onboarding.rules import line_field
from tests.support.access import (
    FINANCE,
    IN_PROJECT,
    INSTITUTION_ADMIN,
    MANAGER,
    MEMBER,
    OPERATOR,
    OWNER,
    PEOPLE,
    REVIEWER,
    STRANGER,
    TODAY,
    VISITOR,
    Row,
    Statuses,
    Values,
    World,
)

LIST, DETAIL = 12, 25

OPERATORS = (OPERATOR,)
FINANCES = (OPERATOR, FINANCE)
REVIEWERS = (OPERATOR, REVIEWER)
OWNERS = (OWNER, OPERATOR)
MANAGERS = (MANAGER, OWNER, OPERATOR)
READERS = (*IN_PROJECT, OPERATOR, REVIEWER, FINANCE, INSTITUTION_ADMIN)
OF_REQUEST = (MANAGER, OWNER, OPERATOR, REVIEWER)
SIGNED_IN = tuple(who for who in PEOPLE if who != VISITOR)


def told(who: Sequence[str], ok: int, *, visitor: int, readers: Sequence[str] = SIGNED_IN) -> Statuses:
    """`ok` for these, 403 for others who may know of the thing, 404 for everybody else."""
    answers = {each: ok if each in who else 403 if each in readers else 404 for each in PEOPLE}
    return answers | {VISITOR: visitor}


def page(name: str, who: Sequence[str] = SIGNED_IN, *args: Callable[[World], Any], **more: Any) -> Row:
    """A page that is only read; those outside `who` get 403."""
    return Row(name, _args(args), {"GET": told(who, 200, visitor=302)}, budget=more.pop("budget", LIST), **more)


def form(name: str, who: Sequence[str], *args: Callable[[World], Any], data: Values, **more: Any) -> Row:
    """A page with a form that ends in a redirect."""
    readers, ok = more.pop("readers", SIGNED_IN), more.pop("ok", 302)
    methods = {
        "GET": told(who, 200, visitor=302, readers=readers),
        "POST": told(who, ok, visitor=302, readers=readers),
    }
    return Row(name, _args(args), methods, data, budget=more.pop("budget", LIST), **more)


def act(name: str, who: Sequence[str], *args: Callable[[World], Any], ok: int = 302, **more: Any) -> Row:
    """A button."""
    return Row(name, _args(args), {"POST": told(who, ok, visitor=302, readers=more.pop("readers", SIGNED_IN))}, **more)


def of_project(
    name: str, *args: Callable[[World], Any], who: Sequence[str] = READERS, ok: int = 200, **more: Any
) -> Row:
    """A page of a project for those who may open it."""
    budget = more.pop("budget", LIST)
    return Row(
        name, _args(args or (slug,)), {"GET": told(who, ok, visitor=302, readers=READERS)}, budget=budget, **more
    )


def api(
    name: str, *args: Callable[[World], Any], budget: int | None = LIST, data: Values | None = None, **methods: Any
) -> Row:
    """`GET=(people, status)` or `GET=(people, status, those who may know)` of an endpoint; a visitor gets 401."""
    rows = {
        method: told(one[0], one[1], visitor=401, readers=one[2] if len(one) > 2 else SIGNED_IN)
        for method, one in methods.items()
    }
    return Row(name, _args(args), rows, data or _nothing, budget=budget if "GET" in methods else None)


def _args(args: Sequence[Callable[[World], Any]]) -> Values:
    return lambda world: [each(world) for each in args]


def _nothing(world: World) -> dict[str, Any]:
    return {}


def slug(world: World) -> str:
    return world.project.slug


def cloud(world: World) -> str:
    return world.cloud.slug


def tenancy(world: World) -> Any:
    return world.tenancy.pk


def request(world: World) -> Any:
    return world.request.pk


def grant(world: World) -> Any:
    return world.grant.pk


def person(world: World) -> Any:
    return world.people[MEMBER].pk


def account(world: World) -> Any:
    return world.account.pk


def membership(world: World) -> Any:
    return world.memberships[MEMBER].pk


def month(world: World) -> str:
    return f"{TODAY:%Y-%m}"


def stray(world: World) -> str:
    return "stray"


def because(world: World) -> dict[str, Any]:
    return {"reason": "It is right so."}


def newcomer(world: World) -> dict[str, Any]:
    return {"person": world.people[STRANGER].pk, "role": MEMBER}


def connection(world: World) -> dict[str, Any]:
    # The connection is tested and fails; what counts here is who gets so far.
    return {"title": "South", "kind": "openstack", "text": "clouds: {}", "accounts_come": "local"}


def ask_more(world: World) -> dict[str, Any]:
    return {"kind": "more", "project": world.project.slug, "description": "The December run."}


def give(world: World) -> dict[str, Any]:
    return {"resource": "compute.vcpu", "amount": "2", "starts_on": TODAY.isoformat(), "why": "a paper"}


PORTAL = [
    Row("portal:home", methods={"GET": dict.fromkeys(PEOPLE, 200)}, budget=DETAIL),
    page("portal:project_list"),
    of_project("portal:project_detail", budget=DETAIL),
    of_project("portal:project_clouds", headers={"HX-Request": "true"}),
    page("portal:search", query={"q": "kelp"}),
    page("portal:styleguide", OPERATORS),
    form("portal:adopt", OPERATORS, cloud, stray, data=lambda world: {"project": "nowhere"}, ok=422),
]


def new_project(world: World) -> dict[str, Any]:
    days = {"starts_on": TODAY.isoformat(), "ends_on": TODAY.replace(year=TODAY.year + 1).isoformat()}
    words = {"title": "Reef", "purpose": "research", "description": "Counting fish on the reef."}
    return days | words | {"clouds": [world.cloud.slug]} | amounts(world)


def more(world: World) -> dict[str, Any]:
    # A second one for more is refused while the first is open.
    Request.objects.filter(pk=world.request.pk).update(state=Request.State.WITHDRAWN)
    return {"description": "The December run.", "clouds": [world.cloud.slug]} | amounts(world, vcpu="24")


def amounts(world: World, vcpu: str = "8") -> dict[str, str]:
    return {line_field(world.cloud, "compute.vcpu"): vcpu}


ONBOARDING = [
    Row(
        "onboarding:request_list",
        methods={"GET": told(SIGNED_IN, 200, visitor=302), "POST": told(REVIEWERS, 302, visitor=302)},
        data=lambda world: {"do": "approve-chosen", "id": [str(world.request.pk)]},
        budget=LIST,
    ),
    form("onboarding:request_new", SIGNED_IN, data=new_project),
    act("onboarding:request_new_summary", SIGNED_IN, data=new_project, ok=200),
    Row(
        "onboarding:request_detail",
        _args((request,)),
        {
            "GET": told(OF_REQUEST, 200, visitor=302, readers=()),
            "POST": told(REVIEWERS, 302, visitor=302, readers=OF_REQUEST),
        },
        data=lambda world: {"do": "refuse", "reason": "Not now."},
        budget=DETAIL,
    ),
    Row(
        "onboarding:request_progress",
        _args((request,)),
        {"GET": told(OF_REQUEST, 200, visitor=302, readers=())},
        headers={"HX-Request": "true"},
        budget=LIST,
    ),
    form("onboarding:project_ask", MANAGERS, slug, data=more, readers=READERS),
    act("onboarding:project_ask_summary", MANAGERS, slug, data=more, ok=200, readers=READERS),
]

QUOTAS = [
    page("quotas:catalog"),
    of_project("quotas:limits"),
    Row(
        "quotas:grant_list",
        _args((slug,)),
        {
            "GET": told(READERS, 200, visitor=302, readers=()),
            "POST": told(OPERATORS, 302, visitor=302, readers=READERS),
        },
        give,
        budget=LIST,
    ),
    act("quotas:grant_end", OPERATORS, slug, grant, data=because, readers=READERS),
    # The project is on one cloud: there is nothing to divide yet, which is what an owner is told.
    form("quotas:division", OWNERS, slug, data=_nothing, ok=200, readers=READERS),
]

REPORTING = [
    page("reporting:usage", budget=DETAIL),
    page("reporting:span_list"),
    page("reporting:collection_list", OPERATORS),
    of_project("reporting:project_usage", budget=DETAIL),
    page("reporting:report_list"),
    page("reporting:report_site", FINANCES, month, budget=DETAIL),
    of_project("reporting:report_project", month, slug, budget=DETAIL),
]

TENANCY = [
    page("tenancy:cloud_list", OPERATORS),
    form("tenancy:cloud_connect", OPERATORS, data=connection, ok=422),
    form("tenancy:site_pause", OPERATORS, data=because),
    page("tenancy:cloud_detail", OPERATORS, cloud, budget=DETAIL),
    act("tenancy:cloud_mode", OPERATORS, cloud, data=lambda world: {"mode": "enforce"}),
    form("tenancy:cloud_pause", OPERATORS, cloud, data=because),
    act("tenancy:cloud_resume", OPERATORS, cloud),
    act("tenancy:cloud_probe", OPERATORS, cloud),
    form("tenancy:cloud_credential", OPERATORS, cloud, data=connection, ok=422),
    act("tenancy:cloud_survey", OPERATORS, cloud),
    page("tenancy:cloud_surveys", OPERATORS, cloud),
    page("tenancy:cloud_steps", OPERATORS, cloud),
    page("tenancy:cloud_tenancies", OPERATORS, cloud),
    page("tenancy:plan", OPERATORS, cloud, budget=DETAIL),
    act("tenancy:plan_act", OPERATORS, cloud, data=lambda world: {"retry": str(world.tenancy.pk)}),
    form("tenancy:plan_confirm", OPERATORS, cloud, data=lambda world: {"fingerprint": "x", "reason": "y"}, ok=422),
    page("tenancy:tenancy_detail", OPERATORS, tenancy, budget=DETAIL),
    act("tenancy:tenancy_retry", OPERATORS, tenancy),
    page("tenancy:person_list", OPERATORS),
    page("tenancy:person_detail", OPERATORS, person, budget=DETAIL),
    form("tenancy:person_deactivate", OPERATORS, person, data=because),
    act("tenancy:person_activate", OPERATORS, person),
    page("tenancy:audit", OPERATORS),
    of_project("tenancy:members_fragment"),
    form("tenancy:member_add", MANAGERS, slug, data=newcomer, readers=READERS, query={"q": "er"}),
    form("tenancy:member_role", MANAGERS, membership, data=lambda world: {"role": "viewer"}, readers=READERS),
    form("tenancy:member_remove", (MEMBER, *MANAGERS), membership, data=_nothing, readers=READERS),
    form("tenancy:project_archive", OWNERS, slug, data=because, readers=READERS),
    form("tenancy:project_restore", OPERATORS, slug, data=because, ok=422),
    of_project("tenancy:progress", headers={"HX-Request": "true"}),
    of_project("tenancy:entry"),
    Row(
        "tenancy:entry_file",
        _args((slug, cloud, lambda world: "clouds.yaml")),
        # Only the member has an account on the cloud, and a file is for who it names.
        {"GET": told((MEMBER,), 200, visitor=302, readers=())},
        budget=LIST,
    ),
    # The cloud does not know the account's id, so that is what its owner is told.
    act("tenancy:account_secret", (MEMBER,), slug, account, ok=422, readers=()),
]

API = [
    Row("api-schema", methods={"GET": {VISITOR: 200, MEMBER: 200}}, why="the same for everybody, and slow to make"),
    Row("api-docs", methods={"GET": dict.fromkeys(PEOPLE, 200)}, budget=LIST),
    Row("api-tokens", methods={"POST": told(SIGNED_IN, 201, visitor=403)}),
    Row("api-token-current", methods={"DELETE": dict.fromkeys(PEOPLE, 401)}, why="a session is no token"),
    api("api-request-list", GET=(SIGNED_IN, 200), POST=(MANAGERS, 400, READERS), data=ask_more),
    api("api-request-detail", request, GET=(OF_REQUEST, 200, ())),
    api("api-request-approve", request, POST=(REVIEWERS, 200, OF_REQUEST)),
    api("api-request-refuse", request, POST=(REVIEWERS, 200, OF_REQUEST), data=because),
    api("api-request-withdraw", request, POST=(MANAGERS, 200, OF_REQUEST)),
    api("api-resources", GET=(SIGNED_IN, 200)),
    api("api-project-limits", slug, GET=(READERS, 200, ())),
    api(
        "api-grant-list",
        GET=(SIGNED_IN, 200),
        POST=(OPERATORS, 201, READERS),
        data=lambda world: {"project": "kelp", "resource": "compute.vcpu", "amount": 2000, "why": "a paper"},
    ),
    api("api-grant-detail", grant, GET=(READERS, 200, ())),
    api("api-grant-end", grant, POST=(OPERATORS, 200, READERS), data=because),
    api("api-usage", GET=(SIGNED_IN, 200)),
    api("api-spans", GET=(SIGNED_IN, 200)),
    api("api-report-site", month, GET=(FINANCES, 200)),
    api("api-report-project", month, slug, GET=(READERS, 200, ())),
    api("api-collections", GET=(OPERATORS, 200)),
    api(
        "api-project-list",
        GET=(SIGNED_IN, 200),
        POST=(OPERATORS, 201),
        data=lambda world: {"title": "Reef", "purpose": "research", "starts_on": "2026-11-20", "owner": OWNER},
    ),
    api(
        "api-project-detail",
        slug,
        GET=(READERS, 200, ()),
        PATCH=(OWNERS, 200, READERS),
        data=lambda world: {"title": "Kelp"},
    ),
    api("api-project-archive", slug, POST=(OWNERS, 200, READERS), data=because),
    # The project is open, which is what an operator is told.
    api("api-project-restore", slug, POST=(OPERATORS, 400, READERS), data=because),
    api(
        "api-member-list",
        slug,
        GET=(READERS, 200, ()),
        POST=(MANAGERS, 201, READERS),
        data=lambda world: {"person": STRANGER, "role": "member"},
    ),
    api(
        "api-member-detail",
        slug,
        membership,
        PATCH=(MANAGERS, 200, READERS),
        DELETE=((MEMBER, *MANAGERS), 204, READERS),
        data=lambda world: {"role": "viewer"},
    ),
    api(
        "api-institution-list",
        GET=(SIGNED_IN, 200),
        POST=(OPERATORS, 201),
        data=lambda world: {"name": "Physics", "slug": "physics"},
    ),
    api("api-person-list", GET=(OPERATORS, 200)),
    api("api-person-detail", person, GET=(OPERATORS, 200)),
    api("api-me", GET=(SIGNED_IN, 200)),
    api("api-account-secret", account, POST=((MEMBER,), 502, ())),
    # An empty file of settings is refused by the connector, which is what an operator is told.
    api("api-cloud-list", GET=(OPERATORS, 200), POST=(OPERATORS, 502), data=connection),
    api("api-cloud-detail", cloud, GET=(OPERATORS, 200)),
    api("api-cloud-credential", cloud, POST=(OPERATORS, 502), data=connection),
    api("api-cloud-mode", cloud, POST=(OPERATORS, 200), data=lambda world: {"mode": "enforce"}),
    api("api-cloud-pause", cloud, POST=(OPERATORS, 200), data=because),
    api("api-cloud-resume", cloud, POST=(OPERATORS, 200)),
    api("api-cloud-probe", cloud, POST=(OPERATORS, 200)),
    api("api-cloud-survey", cloud, POST=(OPERATORS, 202)),
    api("api-cloud-surveys", cloud, GET=(OPERATORS, 200)),
    api("api-cloud-plan", cloud, GET=(OPERATORS, 200)),
    api("api-tenancy-list", GET=(SIGNED_IN, 200)),
    api("api-tenancy-detail", tenancy, GET=(READERS, 200, ())),
    api("api-tenancy-steps", tenancy, GET=(READERS, 200, ())),
    api("api-tenancy-retry", tenancy, POST=(OPERATORS, 200, READERS)),
    api("api-writes", GET=(OPERATORS, 200), PUT=(OPERATORS, 200), data=lambda world: {"paused": False}),
]

ROWS = [*PORTAL, *ONBOARDING, *QUOTAS, *REPORTING, *TENANCY, *API]

LEFT_OUT = (
    # Django's admin lets in superusers only; allauth's pages are its own and tested there. Neither knows of projects.
    "admin:",
    "account_",
    "socialaccount_",
    "openid_connect_",
    "unnamed social/",
)
