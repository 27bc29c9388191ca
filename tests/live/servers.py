"""The fixture `openstack_lab`: real OpenStack servers on this machine, started when they are not running.

A conftest.py that wants it says `from tests.live.servers import openstack_lab`.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import pytest
from openstack.connection import Connection

LAB = Path(__file__).with_name("lab.sh")
CANNOT_RUN_HERE = 77


@dataclass(frozen=True, kw_only=True)
class OpenStackLab:
    """Where the lab is. Each name is an entry of `clouds_yaml`, which holds passwords: only its owner may read it.

    Attributes:
        auth_url: Keystone, as http://127.0.0.1:<port>/v3.
        clouds_yaml: the file with the entries below.
        cloud: Tenantry's own user by password; admin in the project "admin".
        application_credential_cloud: the same user by application credential.
        unified_cloud: the same user in the region whose Nova takes its limits from Keystone.
        admin_cloud: the administrator, for what a test does by hand behind Tenantry's back.
    """

    auth_url: str
    clouds_yaml: Path
    cloud: str = "tenantry-lab"
    application_credential_cloud: str = "tenantry-lab-appcred"
    unified_cloud: str = "tenantry-lab-unified"
    admin_cloud: str = "tenantry-lab-admin"

    def connect(self, cloud: str | None = None) -> Connection:
        """A new session of openstacksdk, as the administrator unless another entry is named."""
        entry = self._entries()[cloud or self.admin_cloud]
        return openstack.connect(load_yaml_config=False, load_envvars=False, **entry)

    def command(self, *arguments: str, cloud: str | None = None) -> str:
        """What the official command prints: `command("project", "delete", name)` runs `openstack project delete name`.

        Raises CalledProcessError, which carries its stderr, when the command refuses.
        """
        entry = {"OS_CLOUD": cloud or self.admin_cloud}
        run = ["bash", str(LAB), "run", "openstack", *arguments]
        return subprocess.run(run, env=os.environ | entry, check=True, capture_output=True, text=True).stdout

    def ask(self, *arguments: str, cloud: str | None = None) -> Any:
        """The same for a command that answers with a table: `ask("quota", "show", project)`, as parsed JSON."""
        return json.loads(self.command(*arguments, "-f", "json", cloud=cloud))

    def _entries(self) -> dict[str, Any]:
        entries: dict[str, Any] = json.loads(self.clouds_yaml.read_text())["clouds"]
        return entries


def _start() -> None:
    """Start what is missing. Skips with the machine's own reason where the lab cannot run, unless it is required."""
    asked = subprocess.run(["bash", str(LAB), "start"], capture_output=True, text=True, check=False)
    said = (asked.stderr.strip() or asked.stdout.strip()).splitlines()
    if asked.returncode == CANNOT_RUN_HERE and os.environ.get("TENANTRY_REQUIRE_LAB") != "1":
        pytest.skip(said[-1])
    if asked.returncode != 0:
        pytest.fail("the lab did not start:\n" + asked.stdout + asked.stderr, pytrace=False)


@pytest.fixture(scope="session")
def openstack_lab() -> OpenStackLab:
    _start()
    found = subprocess.run(["bash", str(LAB), "where"], capture_output=True, text=True, check=True)
    auth_url, clouds_yaml = found.stdout.split()
    return OpenStackLab(auth_url=auth_url, clouds_yaml=Path(clouds_yaml))
