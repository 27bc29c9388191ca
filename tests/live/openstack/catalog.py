"""Makes the service project, the service users and the endpoints of a new lab."""

import os

from admin import connect

SERVICES = [
    ("nova", "compute", "/v2.1"),
    ("placement", "placement", ""),
    ("cinder", "block-storage", "/v3"),
    ("neutron", "network", ""),
    ("glance", "image", ""),
]
SERVICE_ROLES = ("admin", "service")


def main() -> None:
    identity = connect().identity
    roles = {role.name: role for role in identity.roles()}
    project = identity.find_project("service") or identity.create_project(name="service", domain_id="default")
    for name, kind, path in SERVICES:
        user = identity.find_user(name) or identity.create_user(
            name=name, password=os.environ["LAB_PASSWORD"], domain_id="default"
        )
        for role in SERVICE_ROLES:
            identity.assign_project_role_to_user(project, user, roles[role])
        service = identity.find_service(name) or identity.create_service(name=name, type=kind)
        port = os.environ[f"TENANTRY_LAB_{name.upper()}_PORT"]
        known = {endpoint.interface for endpoint in identity.endpoints(service_id=service.id)}
        for interface in {"public", "internal", "admin"} - known:
            identity.create_endpoint(
                service_id=service.id,
                interface=interface,
                region_id=os.environ["LAB_REGION"],
                url=f"http://127.0.0.1:{port}{path}",
            )


if __name__ == "__main__":
    main()
