"""Giving and taking one role of one person on one project: one assignment each, so two workers never share a list.

Facts 5.1: PUT is idempotent, HEAD tells 204 or 404 straight from the direct assignments, DELETE of none is 404.
"""

from __future__ import annotations

from connectors.errors import NotFound, Refused
from connectors.openstack import account_changes
from connectors.openstack.identity import Directory
from connectors.types import Applied, Change, Outcome


def add(directory: Directory, change: Change) -> Applied:
    user, role = _user(directory, change), directory.role(change.role)
    project = _project(directory, change)
    if _has(directory, user, role, project):
        return Applied(Outcome.ALREADY, user, change.role)
    directory.cloud.identity(lambda client: client.roles.grant(role, user=user, project=project))
    if _has(directory, user, role, project):
        return Applied(Outcome.DONE, user, change.role)
    return Applied(Outcome.INEFFECTIVE, user, "", "The cloud accepted the role and did not keep it.")


def remove(directory: Directory, change: Change) -> Applied:
    """By recorded ids only. What is gone already, with its role, user or project, needs no call more."""
    if change.account is None or not (change.account.native_id and change.tenancy_native_id):
        raise Refused("A role is taken by recorded ids only, and this change has none.")
    user, project = change.account.native_id, change.tenancy_native_id
    if user == directory.cloud.own_user:
        raise Refused("This is Tenantry's own account on the cloud.")
    try:
        role = directory.role(change.role)
        directory.cloud.identity(lambda client: client.roles.revoke(role, user=user, project=project))
    except NotFound:
        return Applied(Outcome.ALREADY, user, "")
    if _has(directory, user, role, project):
        return Applied(Outcome.INEFFECTIVE, user, change.role, "The cloud accepted the removal and kept the role.")
    return Applied(Outcome.DONE, user, "")


def _user(directory: Directory, change: Change) -> str:
    if change.account is None:
        raise Refused("The change names no account.")
    return account_changes.native_id(directory, change.account)


def _project(directory: Directory, change: Change) -> str:
    if change.tenancy_native_id:
        return change.tenancy_native_id
    tagged = directory.projects_tagged(change.tenancy)
    if len(tagged) != 1:
        raise NotFound("The project is not on the cloud yet.")
    return tagged[0].native_id


def _has(directory: Directory, user: str, role: str, project: str) -> bool:
    try:
        directory.cloud.identity(lambda client: client.roles.check(role, user=user, project=project))
    except NotFound:
        return False
    return True
