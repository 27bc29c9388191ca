"""Neutron: networks, ports, routers, addresses, security groups, quotas."""

from emulator.openstack.neutron import addresses, extensions, networks, ports, quotas, routers

ROUTES = tuple(part.ROUTES for part in (quotas, networks, ports, routers, addresses, extensions))
