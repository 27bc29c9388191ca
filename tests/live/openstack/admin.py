"""The lab's administrator, as a connection. Used by the scripts that fill a new lab."""

import os

import openstack
from openstack.connection import Connection


def connect() -> Connection:
    return openstack.connect(
        auth_url=os.environ["LAB_AUTH_URL"],
        username="admin",
        password=os.environ["LAB_PASSWORD"],
        project_name="admin",
        user_domain_id="default",
        project_domain_id="default",
        region_name=os.environ["LAB_REGION"],
        load_yaml_config=False,
        load_envvars=False,
    )
