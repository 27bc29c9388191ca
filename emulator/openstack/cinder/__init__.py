"""Cinder: volumes, snapshots, types, quotas."""

from emulator.openstack.cinder import quotas, snapshots, volumes

ROUTES = tuple(part.ROUTES for part in (volumes, snapshots, quotas))
