"""Nova: servers and their stories, flavors, quotas, usage, hosts."""

from emulator.openstack.nova import actions, flavors, history, hosts, quotas, servers, usage

ROUTES = tuple(part.ROUTES for part in (servers, actions, history, flavors, quotas, usage, hosts))
