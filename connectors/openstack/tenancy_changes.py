"""Making a project, marking it as ours, opening and closing it. Facts 5.1."""

from __future__ import annotations

from connectors.errors import Conflict, ConnectorError, NotFound, Refused
from connectors.openstack.identity import Directory
from connectors.types import Applied, Change, ChangeKind, FoundTenancy, Outcome


def create(directory: Directory, change: Change) -> Applied:
    """A project with our tag from its first moment, so that a lost answer leaves nothing we cannot find again."""
    found = directory.projects_tagged(change.tenancy)
    if len(found) > 1:
        ids = ", ".join(sorted(one.native_id for one in found))
        raise Conflict(f"More than one project carries our mark: {ids}.")
    if found:
        return Applied(Outcome.ALREADY, found[0].native_id, found[0].name)
    return _create(directory, change)


def _create(directory: Directory, change: Change) -> Applied:
    cloud = directory.cloud
    body = {"tags": [directory.tag(change.tenancy)], "description": change.title, "enabled": True}
    domain = directory.domain()
    try:
        made = cloud.identity(lambda client: client.projects.create(change.name, domain, **body), repeat=False)
    except (Conflict, ConnectorError) as error:
        if not (isinstance(error, Conflict) or error.maybe_applied):
            raise
        return _after_doubt(directory, change, error)
    return _marked(directory, change, str(made.id), Outcome.DONE)


def _after_doubt(directory: Directory, change: Change, error: ConnectorError) -> Applied:
    """The name is taken or the answer was lost: it is ours if it carries our tag, and only then."""
    if found := directory.projects_tagged(change.tenancy):
        return Applied(Outcome.ALREADY, found[0].native_id, found[0].name, error.message)
    named = directory.project_named(change.name) if isinstance(error, Conflict) else None
    if named is not None:
        raise Conflict(
            f"A project called “{change.name}” exists and is not ours ({named.native_id}).",
            verbatim=error.verbatim,
            request_id=error.request_id,
            status=error.status,
            call=error.call,
        ) from error
    raise error


def _marked(directory: Directory, change: Change, native_id: str, outcome: Outcome) -> Applied:
    found = _read(directory, native_id)
    if found.ref != change.tenancy:
        # A server older than tags in the body drops them silently.
        _put_tag(directory, native_id, change.tenancy)
        found = _read(directory, native_id)
    if found.ref != change.tenancy:
        return Applied(Outcome.INEFFECTIVE, native_id, found.ref, "The cloud does not keep our tag.")
    return Applied(outcome, native_id, found.name)


def tag(directory: Directory, change: Change) -> Applied:
    found = _read(directory, change.tenancy_native_id)
    if found.ref == change.tenancy:
        return Applied(Outcome.ALREADY, found.native_id, found.ref)
    if found.ref:
        raise Conflict(f"The project already carries the mark of another tenancy ({found.ref}).")
    _put_tag(directory, found.native_id, change.tenancy)
    return _marked(directory, change, found.native_id, Outcome.DONE)


def switch(directory: Directory, change: Change) -> Applied:
    """Enable or disable. Our own project is never touched."""
    wanted = change.kind is ChangeKind.TENANCY_ENABLE
    found = _read(directory, change.tenancy_native_id)
    if found.enabled is wanted:
        return Applied(Outcome.ALREADY, found.native_id, _word(found))
    if found.native_id == directory.cloud.own_project:
        raise Refused("This is the project Tenantry itself is signed in to.")
    directory.cloud.identity(lambda client: client.projects.update(found.native_id, enabled=wanted))
    now = _read(directory, found.native_id)
    outcome = Outcome.DONE if now.enabled is wanted else Outcome.INEFFECTIVE
    return Applied(outcome, now.native_id, _word(now))


def _put_tag(directory: Directory, native_id: str, ref: str) -> None:
    directory.cloud.identity(lambda client: client.projects.add_tag(native_id, directory.tag(ref)))


def _read(directory: Directory, native_id: str) -> FoundTenancy:
    found = directory.project(native_id)
    if found is None:
        raise NotFound("The project is not on the cloud any more.")
    return found


def _word(found: FoundTenancy) -> str:
    return "enabled" if found.enabled else "disabled"
