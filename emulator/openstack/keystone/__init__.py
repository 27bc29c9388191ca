"""Keystone: tokens, projects, users, roles, grants, limits."""

from emulator.openstack.keystone import assignments, catalog, credentials, limits, projects, roles, tokens, users

ROUTES = tuple(part.ROUTES for part in (tokens, projects, users, roles, assignments, limits, credentials, catalog))
