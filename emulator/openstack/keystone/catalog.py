"""The catalog: region, services and endpoints, all under one port."""

from emulator.openstack.keystone.common import missing, page, routes, self_link
from emulator.tables import Row
from emulator.wire import Body, Call, Reply
from emulator.world import World

ROUTES = routes()
INTERFACES = ("public", "internal", "admin")


def offers(release: str) -> tuple[tuple[str, str, str], ...]:
    """(type, name, URL path) of every service; the block storage type was renamed between releases."""
    volume = "volumev3" if release == "zed" else "block-storage"
    return (
        ("identity", "keystone", "/identity/v3"),
        ("placement", "placement", "/placement"),
        ("network", "neutron", "/network"),
        ("image", "glance", "/image"),
        ("compute", "nova", "/compute/v2.1"),
        (volume, "cinder", "/volume/v3"),
    )


def service_id(world: World, name: str) -> str:
    return world.ids.named("service", name)


def token_catalog(call: Call) -> list[Body]:
    world, region = call.world, call.world.config.region
    return [
        {
            "endpoints": [
                {
                    "id": world.ids.named("endpoint", name, interface), "interface": interface, "region_id": region,
                    "url": call.base + path, "region": region,
                }
                for interface in INTERFACES
            ],
            "id": service_id(world, name), "type": kind, "name": name,
        }
        for kind, name, path in offers(world.config.release)
    ]  # fmt: skip


def _services(call: Call) -> list[Row]:
    return [
        {
            "id": service_id(call.world, name),
            "type": kind,
            "name": name,
            "enabled": True,
            "description": f"OpenStack {name}",
        }
        for kind, name, _ in offers(call.world.config.release)
    ]


def _service_body(call: Call, row: Row) -> Body:
    return {**row, "links": self_link(call, f"services/{row['id']}")}


@ROUTES.get("/services")
def service_list(call: Call) -> Reply:
    rows = [
        row
        for row in _services(call)
        if call.args.get("type") in (None, row["type"]) and call.args.get("name") in (None, row["name"])
    ]
    return page(call, "services", rows, lambda row: _service_body(call, row), paged=False)


@ROUTES.get("/services/<service_id>")
def service_show(call: Call, service_id: str) -> Reply:
    for row in _services(call):
        if row["id"] == service_id:
            return Reply(200, {"service": _service_body(call, row)})
    raise missing("service", service_id)


@ROUTES.get("/endpoints")
def endpoint_list(call: Call) -> Reply:
    world, region = call.world, call.world.config.region
    rows = [
        {
            "id": world.ids.named("endpoint", name, interface), "interface": interface, "region_id": region,
            "region": region,
            "service_id": service_id(world, name), "url": call.base + path, "enabled": True,
        }
        for _, name, path in offers(world.config.release)
        for interface in INTERFACES
        if call.args.get("interface") in (None, interface)
        and call.args.get("service_id") in (None, service_id(world, name))
        and call.args.get("region_id") in (None, region)
    ]  # fmt: skip
    return page(
        call, "endpoints", rows, lambda row: {**row, "links": self_link(call, f"endpoints/{row['id']}")}, paged=False
    )


@ROUTES.get("/regions")
def region_list(call: Call) -> Reply:
    rows = [_region(call)]
    return page(
        call, "regions", rows, lambda row: {**row, "links": self_link(call, f"regions/{row['id']}")}, paged=False
    )


@ROUTES.get("/regions/<region_id>")
def region_show(call: Call, region_id: str) -> Reply:
    if region_id != call.world.config.region:
        raise missing("region", region_id)
    return Reply(200, {"region": {**_region(call), "links": self_link(call, f"regions/{region_id}")}})


def _region(call: Call) -> Row:
    return {"id": call.world.config.region, "description": "", "parent_region_id": None}
