"""Setting one limit and reading it back, by the service's own quotas or, where those lie, by Keystone's limits.

Facts 5.2: with the unified limits driver Nova answers a quota write with 200 and changes nothing. The read-back
shows it; then the limit is written to ``/v3/limits``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.errors import NotFound, Refused
from connectors.openstack import limits
from connectors.openstack.identity import Directory
from connectors.openstack.pages import Row, keystone_list
from connectors.types import Applied, Change, NativeResource, Outcome

# oslo.limit's names of Nova's resources (nova/limit/placement.py, nova/limit/local.py).
UNIFIED = {"cores": "class:VCPU", "ram": "class:MEMORY_MB", "instances": "servers"}


def apply(directory: Directory, change: Change) -> Applied:
    resource = limits.BY_KEY.get(change.resource)
    if resource is None or change.amount is None:
        raise Refused(f"OpenStack has no limit “{change.resource}”.")
    wanted, project = change.amount, change.tenancy_native_id or _project(directory, change)
    native = limits.to_native(resource, wanted)
    directory.check_project(project)
    before = limits.read_one(directory.cloud, resource, project)
    if before == wanted:
        return Applied(Outcome.ALREADY, project, str(before))
    limits.write_one(directory.cloud, resource, project, native)
    now = limits.read_one(directory.cloud, resource, project)
    detail = ""
    if now != wanted and _write_unified(directory, resource, project, native):
        now = limits.read_one(directory.cloud, resource, project)
        detail = "Set in Keystone: the service takes its limits from there."
    if now == wanted:
        return Applied(Outcome.DONE, project, str(now), detail)
    return Applied(Outcome.INEFFECTIVE, project, str(now), "The cloud accepted the limit and did not keep it.")


def _project(directory: Directory, change: Change) -> str:
    tagged = directory.projects_tagged(change.tenancy)
    if len(tagged) != 1:
        raise NotFound("The project is not on the cloud yet.")
    return tagged[0].native_id


def registered(directory: Directory) -> list[Row]:
    """Nova's registered limits in our region or in none; empty if the cloud has none."""
    services, _ = keystone_list(directory.cloud, "/services", "services", type="compute")
    ids = {str(row["id"]) for row in services if row.get("type") == "compute"}
    rows, _ = keystone_list(directory.cloud, "/registered_limits", "registered_limits")
    regions = (None, "", directory.cloud.region_name)
    return [row for row in rows if str(row["service_id"]) in ids and row.get("region_id") in regions]


def _write_unified(directory: Directory, resource: NativeResource, project: str, native: int) -> bool:
    """Write the project's limit to Keystone; False if the resource is not registered there."""
    name = UNIFIED.get(resource.native, "")
    rule = next((row for row in registered(directory) if row["resource_name"] == name), None)
    if rule is None:
        return False
    client_call = directory.cloud.identity
    if old := _limit_of(directory, rule, project):
        client_call(lambda client: client.limits.update(str(old["id"]), resource_limit=native))
        return True
    client_call(
        lambda client: client.limits.create(project, rule["service_id"], name, native, region=rule.get("region_id")),
        repeat=False,
    )
    return True


def _limit_of(directory: Directory, rule: Row, project: str) -> Row | None:
    service, name = str(rule["service_id"]), str(rule["resource_name"])
    rows, _ = keystone_list(
        directory.cloud, "/limits", "limits", service_id=service, resource_name=name, project_id=project
    )
    wanted = (project, service, name, rule.get("region_id"))
    keys = ("project_id", "service_id", "resource_name", "region_id")
    return next((row for row in rows if tuple(row.get(key) for key in keys) == wanted), None)


def mode(directory: Directory, quotas: Mapping[str, Any]) -> str:
    """``unified`` if Nova's defaults are those registered in Keystone and 0 for the rest, else ``quota``."""
    rules = {str(row["resource_name"]): int(row["default_limit"]) for row in registered(directory)}
    told = {native: int(quotas[native]) for native in UNIFIED}
    return "unified" if told == {native: rules.get(name, 0) for native, name in UNIFIED.items()} else "quota"
