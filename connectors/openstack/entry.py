"""The files with which a member gets in: a ``clouds.yaml`` entry without its password, and the same for a shell.

The ``openstack`` command and openstacksdk take the password from ``OS_PASSWORD`` or ask for it.
"""

from __future__ import annotations

import re
import shlex

import yaml

from connectors.openstack import settings
from connectors.openstack.session import OpenStack
from connectors.types import AccountRef, EntryFile, FoundTenancy

_DOMAIN_ID = re.compile(r"^(?:default|[0-9a-f]{32})$")


def entry_files(cloud: OpenStack, tenancy: FoundTenancy, account: AccountRef) -> tuple[EntryFile, ...]:
    name = re.sub(r"[^a-z0-9]+", "-", f"{cloud.endpoint.name}-{tenancy.name}".lower()).strip("-")
    entry = _federated(cloud, tenancy, account) if account.federated else _local(cloud, tenancy, account)
    entry |= {"region_name": cloud.region_name} if cloud.region_name else {}
    pem = cloud.endpoint.settings.get("cacert_pem")
    hint = _hint(account, name)
    hint += " Save the cloud's certificate authority and add its path as “cacert”." if pem else ""
    text = yaml.safe_dump({"clouds": {name: entry}}, sort_keys=False, allow_unicode=True)
    files = [EntryFile("clouds.yaml", "application/yaml", text, hint)]
    if not account.federated:
        files.append(EntryFile("openrc.sh", "text/x-shellscript", _openrc(entry), "Then: source openrc.sh"))
    return tuple(files)


def _local(cloud: OpenStack, tenancy: FoundTenancy, account: AccountRef) -> dict[str, object]:
    domain = settings.domain_of(cloud.endpoint.settings)
    key = "user_domain_id" if _DOMAIN_ID.match(domain) else "user_domain_name"
    auth = {"auth_url": cloud.auth_url, "username": account.name, key: domain, "project_id": tenancy.native_id}
    return {"auth_type": "password", "auth": auth}


def _federated(cloud: OpenStack, tenancy: FoundTenancy, account: AccountRef) -> dict[str, object]:
    who = account.federated
    auth = {
        "auth_url": cloud.auth_url,
        "identity_provider": who.provider if who else "",
        "protocol": who.protocol if who else "",
        "project_id": tenancy.native_id,
    }
    return {"auth_type": "v3websso", "auth": auth}


def _hint(account: AccountRef, name: str) -> str:
    if account.federated:
        return (
            "Sign in by your institution: needs the package keystoneauth-websso. For scripts make an application "
            "credential on the cloud's dashboard and use “auth_type: v3applicationcredential” instead."
        )
    return f"Save as ~/.config/openstack/clouds.yaml, then: OS_PASSWORD=… openstack --os-cloud {name} server list"


def _openrc(entry: dict[str, object]) -> str:
    auth = entry["auth"]
    values = {f"OS_{key.upper()}": str(value) for key, value in auth.items()} if isinstance(auth, dict) else {}
    values |= {"OS_AUTH_TYPE": "password", "OS_IDENTITY_API_VERSION": "3"}
    values |= {"OS_REGION_NAME": str(entry["region_name"])} if "region_name" in entry else {}
    lines = [f"export {key}={shlex.quote(value)}" for key, value in values.items()]
    # The password is typed in, so that it stands in no file.
    ask = ['printf "Password for %s: " "$OS_USERNAME" >&2', "read -rs OS_PASSWORD && export OS_PASSWORD && echo >&2"]
    return "\n".join([*lines, *ask]) + "\n"
