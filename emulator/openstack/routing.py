"""Every endpoint that is spoken; anything else is refused loudly."""

from emulator.openstack import cinder, discovery, glance, keystone, neutron, nova, placement
from emulator.wire import Route

PARTS = (
    discovery.ROUTES, *keystone.ROUTES, *nova.ROUTES, *cinder.ROUTES, *neutron.ROUTES, placement.ROUTES, glance.ROUTES,
)  # fmt: skip


def routes() -> list[Route]:
    return [route for part in PARTS for route in part.found]
