"""Connecting clouds and deciding whether Tenantry may write to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max

from config import clock
from connectors import registry
from connectors.contract import Health
from connectors.errors import Forbidden, Unauthorized, Unsupported
from connectors.types import Probe, Role
from events.services import record
from events.verbs import Verb
from tenancy import clouds
from tenancy.errors import RuleError
from tenancy.loop import breaker, claims
from tenancy.models import (
    Capability,
    Cloud,
    CloudRight,
    CloudRole,
    CloudVersion,
    Person,
    SiteSwitch,
    Step,
    Tenancy,
)
from tenancy.services.rules import free_slug, operator_only, wake_survey, wake_workers

COLORS = 6


class MissingRights(RuleError):
    """The connection works, yet our credential lacks rights; ``probe`` names each. Nothing was saved."""

    def __init__(self, probe: Probe) -> None:
        missing = [right.name for right in probe.rights if not right.ok]
        missing += [f"{v.service} {v.found}" for v in probe.versions if not v.ok]
        super().__init__(
            f"The cloud answers, but something is missing: {', '.join(missing)}.",
            remedy="Give the credential these rights on the cloud, then test again.",
        )
        self.probe = probe


@dataclass(frozen=True, slots=True)
class Accounts:
    """How people become users of the cloud."""

    come: str = Cloud.Accounts.LOCAL
    provider: str = ""
    protocol: str = ""
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a person gives to connect a cloud. ``text`` is what they pasted, ``entry`` which part of it."""

    kind: str
    text: str = field(repr=False)
    entry: str = ""
    roles: Mapping[Role, str] = field(default_factory=dict)
    accounts: Accounts = Accounts()


def connection_test(*, name: str, connection: Connection) -> tuple[Probe, Mapping[str, Any], Mapping[Role, str]]:
    """Try a connection without saving anything: the probe, the parsed settings and the role map.

    Raises ``ConnectorError`` if it cannot even start, ``MissingRights`` if something is lacking.
    """
    kind = registry.kind(connection.kind)
    settings = kind.parse(connection.text, connection.entry)
    roles = {**kind.default_roles, **connection.roles}
    connector = registry.connect(clouds.endpoint(kind=kind.kind, name=name, settings=settings, roles=roles))
    try:
        if not isinstance(connector, Health):
            raise Unsupported(f"The connector {kind.title} cannot test a connection.")
        probe = connector.probe()
    finally:
        connector.close()
    if not probe.ok:
        raise MissingRights(probe)
    return probe, settings, roles


def cloud_connect(*, actor: Person | None, title: str, connection: Connection, slug: str = "") -> Cloud:
    """Test, then save a cloud in observe mode with everything the test found; nothing is half-connected.

    Raises ``ConnectorError`` and ``MissingRights`` as the test does, ``RuleError`` for a taken name.
    """
    operator_only(actor)
    if slug and Cloud.objects.filter(slug=slug).exists():
        raise RuleError(
            f"There is a cloud “{slug}” already.", remedy="Change its credential on its page.", field="slug"
        )
    name = slug or free_slug(title, set(Cloud.objects.values_list("slug", flat=True)))
    probe, settings, roles = connection_test(name=name, connection=connection)
    with transaction.atomic():
        cloud = Cloud.objects.create(
            slug=name,
            title=title,
            kind=connection.kind,
            color=_next_color(),
            address=_address(settings),
            credential=clouds.seal(settings),
            accounts_come=connection.accounts.come,
            provider=connection.accounts.provider,
            protocol=connection.accounts.protocol,
            issuer=connection.accounts.issuer,
        )
        CloudRole.objects.bulk_create(CloudRole(cloud=cloud, role=role, native=roles[role]) for role in roles)
        probe_save(cloud, probe)
        summary = f"Connected {title} ({connection.kind}) in observe mode."
        record(actor=actor, verb=Verb.CLOUD_CONNECTED, target=cloud, summary=summary, cloud=cloud)
    return cloud


def _next_color() -> int:
    """So that two clouds rarely share one."""
    return (Cloud.objects.aggregate(most=Max("color"))["most"] or 0) % COLORS + 1


def _address(settings: Mapping[str, Any]) -> str:
    auth = settings.get("auth")
    found = auth.get("auth_url") if isinstance(auth, Mapping) else settings.get("server", "")
    return str(found or "")[:300]


def cloud_credential_change(*, actor: Person | None, cloud: Cloud, connection: Connection) -> Cloud:
    """Replace the credential after the new one was tested; the breaker closes."""
    operator_only(actor)
    probe, settings, _ = connection_test(name=cloud.slug, connection=connection)
    with transaction.atomic():
        cloud.credential, cloud.address = clouds.seal(settings), _address(settings)
        cloud.save(update_fields=("credential", "address"))
        probe_save(cloud, probe)
        breaker.reset(cloud)
        _release_refused(cloud)
        summary = f"Changed the credential of {cloud}."
        record(actor=actor, verb=Verb.CLOUD_CREDENTIAL_CHANGED, target=cloud, summary=summary, cloud=cloud)
        wake_workers()
    return cloud


def _release_refused(cloud: Cloud) -> None:
    """What the old credential was not allowed to do is tried with the new one."""
    refused = Step.objects.filter(cloud=cloud, state=Step.State.FAILED, error_kind=Forbidden.__name__)
    claims.look_again(Tenancy.objects.filter(pk__in=refused.values("tenancy")))
    refused.update(state=Step.State.SUPERSEDED)


def cloud_probe(*, actor: Person | None, cloud: Cloud) -> Probe:
    """Test a saved cloud again and keep what was found. Raises ``ConnectorError``."""
    operator_only(actor)
    with clouds.connect(cloud) as connector:
        if not isinstance(connector, Health):
            raise Unsupported(f"The connector of {cloud} cannot test a connection.")
        try:
            probe = connector.probe()
        except (Unauthorized, Forbidden) as error:
            breaker.trip(cloud, error)
            raise
    with transaction.atomic():
        probe_save(cloud, probe)
        if probe.ok:
            breaker.reset(cloud)
    return probe


def probe_save(cloud: Cloud, probe: Probe) -> None:
    """Keep what a connection test found: versions, rights, capabilities, our own identity, the clock."""
    cloud.own_account, cloud.own_tenancy = probe.own_account, probe.own_tenancy
    cloud.probed_at, cloud.skew_seconds = probe.at, probe.skew_seconds
    cloud.save(update_fields=("own_account", "own_tenancy", "probed_at", "skew_seconds"))
    cloud.capabilities.all().delete()
    cloud.rights.all().delete()
    cloud.versions.all().delete()
    Capability.objects.bulk_create(
        Capability(cloud=cloud, name=name[:100], value=value[:200]) for name, value in probe.capabilities.items()
    )
    CloudVersion.objects.bulk_create(
        CloudVersion(
            cloud=cloud, service=v.service, found=v.found[:40], used=v.used[:40], supported=v.supported[:80], ok=v.ok
        )
        for v in probe.versions
    )
    CloudRight.objects.bulk_create(
        CloudRight(
            cloud=cloud,
            name=right.name[:120],
            needed_for=right.needed_for[:200],
            ok=right.ok,
            message=right.error.message if right.error else "",
            verbatim=right.error.verbatim if right.error else "",
            request_id=right.error.request_id[:100] if right.error else "",
        )
        for right in probe.rights
    )


@transaction.atomic
def cloud_survey_ask(*, actor: Person | None, cloud: Cloud) -> None:
    """Make the next full survey due now; a worker reads the cloud and plans anew. Writes nothing there."""
    operator_only(actor)
    cloud.survey_due_at = clock.now()
    cloud.save(update_fields=("survey_due_at",))
    record(actor=actor, verb=Verb.SURVEY_ASKED, target=cloud, summary=f"Asked to survey {cloud} again.", cloud=cloud)
    wake_survey()


@transaction.atomic
def cloud_mode_set(*, actor: Person | None, cloud: Cloud, mode: str) -> Cloud:
    """Observe, add-only or enforce. Everything unsettled is looked at again under the new mode."""
    operator_only(actor)
    if mode not in Cloud.Mode.values:
        raise RuleError(f"There is no mode “{mode}”.", field="mode")
    before, cloud.mode = cloud.mode, mode
    cloud.survey_due_at = clock.now()
    cloud.save(update_fields=("mode", "survey_due_at"))
    claims.look_again(Tenancy.objects.filter(cloud=cloud))
    summary = f"Changed {cloud} from {before} to {mode}."
    record(actor=actor, verb=Verb.CLOUD_MODE_CHANGED, target=cloud, summary=summary, cloud=cloud)
    wake_workers()
    return cloud


@transaction.atomic
def cloud_pause(*, actor: Person | None, cloud: Cloud, reason: str) -> None:
    operator_only(actor)
    if not reason.strip():
        raise RuleError("Say why writes are paused; it is shown on every page.", field="reason")
    cloud.paused_at, cloud.paused_by, cloud.pause_reason = clock.now(), actor, reason.strip()
    cloud.save(update_fields=("paused_at", "paused_by", "pause_reason"))
    summary = f"Paused writes to {cloud}: {reason.strip()}"
    record(actor=actor, verb=Verb.WRITES_PAUSED, target=cloud, summary=summary, cloud=cloud)


@transaction.atomic
def cloud_resume(*, actor: Person | None, cloud: Cloud) -> None:
    operator_only(actor)
    cloud.paused_at, cloud.paused_by, cloud.pause_reason = None, None, ""
    cloud.save(update_fields=("paused_at", "paused_by", "pause_reason"))
    _wake_unsettled(cloud)
    record(actor=actor, verb=Verb.WRITES_RESUMED, target=cloud, summary=f"Resumed writes to {cloud}.", cloud=cloud)


@transaction.atomic
def site_pause(*, actor: Person | None, reason: str) -> None:
    """The one switch that pauses all writes to all clouds; calls under way are not cut off."""
    operator_only(actor)
    if not reason.strip():
        raise RuleError("Say why all writes are paused; it is shown on every page.", field="reason")
    switch, _ = SiteSwitch.objects.update_or_create(
        pk=1, defaults={"paused_at": clock.now(), "paused_by": actor, "reason": reason.strip()}
    )
    summary = f"Paused all writes: {reason.strip()}"
    record(actor=actor, verb=Verb.WRITES_PAUSED, target=switch, summary=summary)


@transaction.atomic
def site_resume(*, actor: Person | None) -> None:
    operator_only(actor)
    switch, _ = SiteSwitch.objects.update_or_create(pk=1, defaults={"paused_at": None, "paused_by": None, "reason": ""})
    _wake_unsettled(None)
    record(actor=actor, verb=Verb.WRITES_RESUMED, target=switch, summary="Resumed all writes.")


def _wake_unsettled(cloud: Cloud | None) -> None:
    """Those in the middle of a slice too: it may have seen the pause, and would sleep on it."""
    rows = Tenancy.objects.unsettled()
    claims.look_again(rows.filter(cloud=cloud) if cloud is not None else rows)
    wake_workers()
