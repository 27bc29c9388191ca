"""Fills a new lab: an image, two flavors, an external network, Tenantry's own user, and a clouds.yaml."""

import json
import os
from pathlib import Path
from typing import Any

import openstack
from admin import connect
from openstack.connection import Connection

FLAVORS = {"m1.test": (2, 1024, 10), "m1.big": (8, 16384, 80)}  # vCPU, MiB, GiB
SERVICE_USER = "tenantry"


def seed_things(cloud: Connection) -> None:
    if not cloud.image.find_image("tiny"):
        cloud.image.create_image(
            name="tiny",
            data=b"\0" * 1024 * 1024,
            disk_format="raw",
            container_format="bare",
            visibility="public",
            wait=True,
            allow_duplicates=True,
            validate_checksum=False,
        )
    for name, (vcpus, ram, disk) in FLAVORS.items():
        if not cloud.compute.find_flavor(name):
            cloud.compute.create_flavor(name=name, vcpus=vcpus, ram=ram, disk=disk)
    external = cloud.network.find_network("public") or cloud.network.create_network(
        name="public", is_router_external=True
    )
    if not list(cloud.network.subnets(network_id=external.id)):
        cloud.network.create_subnet(
            network_id=external.id, cidr="203.0.113.0/24", ip_version=4, enable_dhcp=False, name="public-v4"
        )


def seed_service_user(cloud: Connection) -> None:
    """Tenantry logs in as itself, so that what it did can be told from what an administrator did by hand."""
    identity = cloud.identity
    user = identity.find_user(SERVICE_USER) or identity.create_user(
        name=SERVICE_USER, password=os.environ["LAB_PASSWORD"], domain_id="default"
    )
    identity.assign_project_role_to_user(identity.find_project("admin"), user, identity.find_role("admin"))


def password_entry(username: str, region: str = "LAB_REGION") -> dict[str, Any]:
    return {
        "auth": {
            "auth_url": os.environ["LAB_AUTH_URL"],
            "username": username,
            "password": os.environ["LAB_PASSWORD"],
            "project_name": "admin",
            "user_domain_id": "default",
            "project_domain_id": "default",
        },
        "region_name": os.environ[region],
    }


def credential_entry() -> dict[str, Any]:
    """An application credential can only be made by its own user."""
    cloud = openstack.connect(load_yaml_config=False, load_envvars=False, **password_entry(SERVICE_USER))
    credential = cloud.identity.create_application_credential(user=cloud.current_user_id, name="tenantry")
    return {
        "auth_type": "v3applicationcredential",
        "auth": {
            "auth_url": os.environ["LAB_AUTH_URL"],
            "application_credential_id": credential.id,
            "application_credential_secret": credential.secret,
        },
        "region_name": os.environ["LAB_REGION"],
    }


def write_clouds() -> None:
    """JSON is YAML too, and needs no library to write."""
    clouds = {
        "tenantry-lab-admin": password_entry("admin"),
        "tenantry-lab": password_entry(SERVICE_USER),
        "tenantry-lab-appcred": credential_entry(),
        "tenantry-lab-unified": password_entry(SERVICE_USER, "LAB_UNIFIED_REGION"),
    }
    path = Path(os.environ["LAB_CLOUDS"])
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps({"clouds": clouds}, indent=2) + "\n")


if __name__ == "__main__":
    administrator = connect()
    seed_things(administrator)
    seed_service_user(administrator)
    write_clouds()
