"""Every test under tests/live stands on the lab's real servers."""

from tests.live.servers import openstack_lab

__all__ = ["openstack_lab"]
