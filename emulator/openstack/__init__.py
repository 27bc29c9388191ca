"""The services of an OpenStack cloud: Keystone, Nova, Cinder, Neutron, Placement and Glance."""

from emulator.wire import Route


def routes() -> list[Route]:
    """Every endpoint that is spoken; anything else is refused loudly."""
    from emulator.openstack import discovery
    from emulator.openstack.cinder import ROUTES as CINDER
    from emulator.openstack.glance import ROUTES as GLANCE
    from emulator.openstack.keystone import ROUTES as KEYSTONE
    from emulator.openstack.neutron import ROUTES as NEUTRON
    from emulator.openstack.nova import ROUTES as NOVA
    from emulator.openstack.placement import ROUTES as PLACEMENT

    parts = [discovery.ROUTES, *KEYSTONE, *NOVA, *CINDER, *NEUTRON, PLACEMENT, GLANCE]
    return [route for part in parts for route in part.found]
