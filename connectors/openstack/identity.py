"""Reading Keystone: our projects, the people of our domain and who has which role where.

Our projects carry the tag ``<site>:<ref>`` (facts 5.1: tags can be given with the creation and filter a list);
local accounts we made carry the attribute ``tenantry_ref``.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from connectors.errors import BadAnswer, Misconfigured, NotFound
from connectors.openstack import settings
from connectors.openstack.pages import Row, keystone_list, rows_of
from connectors.openstack.session import OpenStack
from connectors.types import FoundAccount, FoundMember, FoundTenancy

ACCOUNT_MARK = "tenantry_ref"


@dataclass(frozen=True, slots=True)
class Read:
    """Rows and whether they are all there are; ``why`` tells what is missing."""

    rows: tuple[Any, ...]
    complete: bool = True
    why: str = ""


class Directory:
    """What Keystone holds, with the few lookups that a connector needs again and again kept for its life."""

    def __init__(self, cloud: OpenStack) -> None:
        self.cloud = cloud
        self._lock = threading.Lock()
        self._domain = ""
        self._roles: dict[str, str] | None = None
        self.seen: set[str] = set()

    # --- names and ids ---

    @property
    def tag_prefix(self) -> str:
        return f"{self.cloud.endpoint.site}:"

    def tag(self, ref: str) -> str:
        return f"{self.tag_prefix}{ref}"

    def domain(self) -> str:
        """Id of the domain for projects and people. Raises ``Misconfigured`` if there is none of that name."""
        with self._lock:
            self._domain = self._domain or self._find_domain()
            return self._domain

    def _find_domain(self) -> str:
        configured = settings.domain_of(self.cloud.endpoint.settings)
        auth = self.cloud.endpoint.settings["auth"]
        if configured == "default" or (configured == auth.get("project_domain_id") and not self.cloud.own.domain):
            return configured
        rows, _ = keystone_list(self.cloud, "/domains", "domains", name=configured)
        named = [row for row in rows if row.get("name") == configured]
        if named:
            return str(named[0]["id"])
        try:
            return str(self.cloud.identity(lambda client: client.domains.get(configured)).id)
        except NotFound as error:
            raise Misconfigured(f"The cloud has no domain “{configured}”.", verbatim=error.verbatim) from error

    def roles(self) -> Mapping[str, str]:
        """Ids of the roles by name; roles that belong to one domain only are left out."""
        with self._lock:
            if self._roles is None:
                rows, complete = keystone_list(self.cloud, "/roles", "roles")
                if not complete:
                    raise BadAnswer("Keystone cuts the list of roles short.")
                self._roles = {str(row["name"]): str(row["id"]) for row in rows if not row.get("domain_id")}
            return self._roles

    def role(self, name: str) -> str:
        """The id of a role. Raises ``NotFound``."""
        try:
            return self.roles()[name]
        except KeyError:
            raise NotFound(
                f"The cloud has no role “{name}”.", remedy="Map the project roles of this cloud to roles it has."
            ) from None

    # --- projects ---

    def tenancy(self, row: Row) -> FoundTenancy:
        marks = [str(tag) for tag in row.get("tags") or () if str(tag).startswith(self.tag_prefix)]
        return FoundTenancy(
            native_id=str(row["id"]),
            name=str(row["name"]),
            ref=marks[0].removeprefix(self.tag_prefix) if marks else "",
            enabled=bool(row["enabled"]),
            title=str(row.get("description") or ""),
        )

    def projects(self, recorded: frozenset[str]) -> Read:
        """All projects of our domain, and those of other domains that carry our tag or are on record."""
        rows, complete = keystone_list(self.cloud, "/projects", "projects")
        domain = self.domain()
        found = []
        for row in rows:
            tenancy = self.tenancy(row)
            if row.get("domain_id") == domain or tenancy.ref or tenancy.native_id in recorded:
                found.append(tenancy)
        self.seen.update(tenancy.native_id for tenancy in found)
        return Read(tuple(found), complete, "" if complete else "Keystone cuts the list of projects short.")

    def project(self, native_id: str) -> FoundTenancy | None:
        """One project by id, None if it is gone."""
        try:
            got = self.cloud.identity(lambda client: client.projects.get(native_id))
        except NotFound:
            return None
        self.seen.add(native_id)
        return self.tenancy(got.to_dict())

    def projects_tagged(self, ref: str) -> list[FoundTenancy]:
        rows, complete = keystone_list(self.cloud, "/projects", "projects", tags=self.tag(ref))
        if not complete:
            raise BadAnswer("Keystone cuts the list of projects with our tag short.")
        found = [tenancy for tenancy in map(self.tenancy, rows) if tenancy.ref == ref]
        self.seen.update(tenancy.native_id for tenancy in found)
        return found

    def project_named(self, name: str) -> FoundTenancy | None:
        rows, _ = keystone_list(self.cloud, "/projects", "projects", name=name, domain_id=self.domain())
        return next((tenancy for tenancy in map(self.tenancy, rows) if tenancy.name == name), None)

    def lookup(self, native_id: str, ref: str, name: str) -> list[FoundTenancy]:
        """The object that stands for a tenancy: by recorded id, else by tag, else whatever has its name."""
        if native_id:
            found = self.project(native_id)
            return [found] if found else []
        if tagged := self.projects_tagged(ref):
            return tagged
        named = self.project_named(name)
        return [named] if named else []

    def check_project(self, native_id: str) -> None:
        """Raise ``NotFound`` unless the project exists: Cinder and Neutron store limits for any typing error."""
        if native_id not in self.seen and self.project(native_id) is None:
            raise NotFound("The project is not on the cloud any more.")

    # --- people ---

    def accounts(self) -> Read:
        """The people of our domain, and of the identity provider's if people come by one."""
        found: dict[str, FoundAccount] = {}
        complete = True
        for domain in dict.fromkeys((self.domain(), *self._provider_domains())):
            rows, whole = keystone_list(self.cloud, "/users", "users", domain_id=domain)
            complete = complete and whole
            found.update((str(row["id"]), account(row)) for row in rows)
        return Read(tuple(found.values()), complete, "" if complete else "Keystone cuts the list of people short.")

    def _provider_domains(self) -> tuple[str, ...]:
        return (self.provider_domain(self.cloud.own.provider),) if self.cloud.own.accounts == "federated" else ()

    def provider_domain(self, provider: str) -> str:
        """The domain in which Keystone keeps the people of an identity provider."""
        found = self.cloud.identity(lambda client: client.federation.identity_providers.get(provider))
        return str(found.domain_id)

    # --- who has which role ---

    def members(self, tenancies: Iterable[str], only: str = "") -> tuple[list[FoundMember], list[FoundAccount]]:
        """Role assignments on these projects in one call (facts 5.1: it is never paged), and who they name."""
        params = {"include_names": "true"} | ({"scope.project.id": only} if only else {})
        body = self.cloud.identity(lambda client: _assignments(client, params))
        wanted = set(tenancies)
        members: list[FoundMember] = []
        people: dict[str, FoundAccount] = {}
        for row in rows_of(body, "role_assignments"):
            scope = row["scope"]
            project = scope.get("project")
            if not project or str(project["id"]) not in wanted:
                continue
            user, group = row.get("user"), row.get("group")
            if user:
                people[str(user["id"])] = FoundAccount(str(user["id"]), str(user.get("name") or ""))
            members.append(
                FoundMember(
                    tenancy=str(project["id"]),
                    account=str(user["id"]) if user else "",
                    role=_role_name(row["role"]),
                    group=str(group.get("name") or group["id"]) if group else "",
                    inherited="OS-INHERIT:inherited_to" in scope,
                )
            )
        return members, list(people.values())

    def effective(self, project: str) -> set[str]:
        """Ids of everybody who has any role on the project, groups and inheritance resolved."""
        params = {"scope.project.id": project, "effective": "true"}
        body = self.cloud.identity(lambda client: _assignments(client, params))
        return {str(row["user"]["id"]) for row in rows_of(body, "role_assignments") if row.get("user")}


def _assignments(client: Any, params: Mapping[str, str]) -> Any:
    return client.role_assignments.client.get(f"/role_assignments?{urlencode(params)}")[1]


def _role_name(role: Row) -> str:
    domain = role.get("domain")
    # A role of one domain may be called like a global one and is another role.
    return f"{role['name']}@{domain.get('name') or domain['id']}" if domain else str(role["name"])


def account(row: Row) -> FoundAccount:
    return FoundAccount(
        native_id=str(row["id"]),
        name=str(row["name"]),
        ref=str(row.get(ACCOUNT_MARK) or ""),
        enabled=bool(row.get("enabled", True)),
        email=str(row.get("email") or ""),
    )
