"""Makes the service project, the service users, the endpoints and the registered limits of a new lab.

There are two regions over the same servers. In the second one compute is a Nova with the unified limits driver, so that
both ways of keeping a limit can be tried on one cloud.
"""

import os
from typing import Any

from admin import connect

SERVICES = [
    ("nova", "compute", "/v2.1"),
    ("placement", "placement", ""),
    ("cinder", "block-storage", "/v3"),
    ("neutron", "network", ""),
    ("glance", "image", ""),
]
SERVICE_ROLES = ("admin", "service")
INTERFACES = ("public", "internal", "admin")
NOVA_REGISTERED_LIMITS = {
    "servers": 10,
    "class:VCPU": 20,
    "class:MEMORY_MB": 51200,
    "server_metadata_items": 128,
    "server_key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
}


def make_service_users(identity: Any) -> None:
    roles = {role.name: role for role in identity.roles()}
    project = identity.find_project("service") or identity.create_project(name="service", domain_id="default")
    for name, _, _ in SERVICES:
        user = identity.find_user(name) or identity.create_user(
            name=name, password=os.environ["LAB_PASSWORD"], domain_id="default"
        )
        for role in SERVICE_ROLES:
            identity.assign_project_role_to_user(project, user, roles[role])
    # oslo.limit reads everybody's limits.
    identity.assign_system_role_to_user(identity.find_user("nova"), roles["reader"], "all")


def make_endpoints(identity: Any) -> None:
    region, unified = os.environ["LAB_REGION"], os.environ["LAB_UNIFIED_REGION"]
    if not identity.find_region(unified):
        identity.create_region(id=unified)
    urls = {("keystone", "identity", unified): os.environ["LAB_AUTH_URL"]}
    for name, kind, path in SERVICES:
        own = f"http://127.0.0.1:{os.environ[f'TENANTRY_LAB_{name.upper()}_PORT']}{path}"
        urls[name, kind, region] = urls[name, kind, unified] = own
    urls["nova", "compute", unified] = f"http://127.0.0.1:{os.environ['TENANTRY_LAB_NOVA_UNIFIED_PORT']}/v2.1"
    for (name, kind, region_id), url in urls.items():
        service = identity.find_service(name) or identity.create_service(name=name, type=kind)
        known = {endpoint.interface for endpoint in identity.endpoints(service_id=service.id, region_id=region_id)}
        for interface in set(INTERFACES) - known:
            identity.create_endpoint(service_id=service.id, interface=interface, region_id=region_id, url=url)


def make_registered_limits(identity: Any) -> None:
    unified = os.environ["LAB_UNIFIED_REGION"]
    nova = identity.find_service("nova")
    known = {limit.resource_name for limit in identity.registered_limits(service_id=nova.id, region_id=unified)}
    for resource, amount in NOVA_REGISTERED_LIMITS.items():
        if resource not in known:
            identity.create_registered_limit(
                service_id=nova.id, region_id=unified, resource_name=resource, default_limit=amount
            )


if __name__ == "__main__":
    keystone = connect().identity
    make_service_users(keystone)
    make_endpoints(keystone)
    make_registered_limits(keystone)
