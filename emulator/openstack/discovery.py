"""The root documents by which clients find versions: 300 from Keystone and Cinder, 200 from the others."""

from emulator.services import COMPUTE, IDENTITY, IMAGE, NETWORK, PLACEMENT, VOLUME, Service
from emulator.wire import ApiError, Body, Call, Reply, Routes


def _front_error(error: ApiError, request_id: str) -> Body:
    return {"error": {"code": error.status, "message": error.message, "title": "Not Found"}}


FRONT = Service("front", "front", "", _front_error)  # paths that belong to no service
ROUTES = Routes("")
get = ROUTES.get


def _media(kind: str, form: str = "application/vnd.openstack.{kind}+json") -> list[Body]:
    return [{"base": "application/json", "type": form.format(kind=kind)}]


def _range(call: Call) -> tuple[str, str]:
    low, high = call.service.versions[call.world.config.release]
    return f"{low[0]}.{low[1]}", f"{high[0]}.{high[1]}"


def _identity(call: Call) -> Body:
    link = {"rel": "self", "href": f"{call.base}{IDENTITY.prefix}/v3/"}
    number = "v3.14"
    return {
        "id": number, "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": [link],
        "media-types": _media("identity-v3"),
    }  # fmt: skip


@get("/identity", public=True)
def identity_versions(call: Call) -> Reply:
    return Reply(300, {"versions": {"values": [_identity(call)]}}, {"Location": f"{call.base}{IDENTITY.prefix}/v3/"})


@get("/identity/v3", public=True)
def identity_version(call: Call) -> Reply:
    return Reply(200, {"version": _identity(call)})


def _compute(call: Call) -> list[Body]:
    low, high = _range(call)
    root = call.base + COMPUTE.prefix
    return [
        {
            "id": "v2.0", "status": "DEPRECATED", "version": "", "min_version": "", "updated": "2025-07-04T12:00:00Z",
            "links": [{"rel": "self", "href": f"{root}/v2/"}],
        },
        {
            "id": "v2.1", "status": "CURRENT", "version": high, "min_version": low, "updated": "2013-07-23T11:33:21Z",
            "links": [{"rel": "self", "href": f"{root}/v2.1/"}],
        },
    ]  # fmt: skip


@get("/compute", public=True)
def compute_versions(call: Call) -> Reply:
    return Reply(200, {"versions": _compute(call)})


@get("/compute/v2.1", public=True)
def compute_version(call: Call) -> Reply:
    return Reply(
        200,
        {
            "version": _compute(call)[1]
            | {"media-types": _media("compute", "application/vnd.openstack.{kind}+json;version=2.1")}
        },
    )


def _volume(call: Call) -> Body:
    low, high = _range(call)
    links = [
        {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
        {"rel": "self", "href": f"{call.base}{VOLUME.prefix}/v3/"},
    ]
    return {
        "id": "v3.0", "status": "CURRENT", "version": high, "min_version": low, "updated": "2023-08-31T00:00:00Z",
        "links": links, "media-types": _media("volume", "application/vnd.openstack.{kind}+json;version=3"),
    }  # fmt: skip


@get("/volume", public=True)
def volume_versions(call: Call) -> Reply:
    return Reply(
        300, {"versions": [_volume(call)]}, {"OpenStack-API-Version": "volume 3.0", "Vary": "OpenStack-API-Version"}
    )


@get("/volume/v3", public=True)
def volume_version(call: Call) -> Reply:
    return Reply(200, {"versions": [_volume(call)]})


@get("/network", public=True)
def network_versions(call: Call) -> Reply:
    link = {"rel": "self", "href": f"{call.base}{NETWORK.prefix}/v2.0/"}
    return Reply(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})


@get("/network/v2.0", public=True)
def network_version(call: Call) -> Reply:
    names = ("network", "subnet", "port", "router", "floatingip", "security-group", "quota")
    return Reply(
        200,
        {
            "resources": [
                {
                    "name": name.replace("-", "_"), "collection": f"{name}s".replace("-", "_"),
                    "links": [{"rel": "self", "href": f"{call.base}{NETWORK.prefix}/v2.0/{name}s"}],
                }
                for name in names
            ]
        },
    )  # fmt: skip


@get("/placement", public=True)
def placement_versions(call: Call) -> Reply:
    low, high = _range(call)
    link = {"rel": "self", "href": call.base + PLACEMENT.prefix}
    return Reply(
        200,
        {"versions": [{"id": "v1.0", "status": "CURRENT", "min_version": low, "max_version": high, "links": [link]}]},
    )


def _image(call: Call) -> list[Body]:
    link = {"rel": "self", "href": f"{call.base}{IMAGE.prefix}/v2/"}
    return [{"id": "v2.16", "status": "CURRENT", "links": [link]}]


@get("/image", public=True)
def image_versions(call: Call) -> Reply:
    return Reply(300, {"versions": _image(call)})


@get("/image/versions", public=True)
def image_version_list(call: Call) -> Reply:
    return Reply(200, {"versions": _image(call)})
