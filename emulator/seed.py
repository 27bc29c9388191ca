"""What the seed gives: the rows that exist before anybody changes anything. The living things follow from `world`."""

from collections.abc import Iterator

from emulator import names
from emulator.ids import Kind, dashed
from emulator.lives import mix
from emulator.tables import Row
from emulator.world import World

DOMAIN = "default"
SERVICE_USERS = ("nova", "neutron", "cinder", "glance", "placement")
FLAVORS = (
    ("m1.tiny", 1, 512, 1),
    ("m1.small", 1, 2048, 20),
    ("m1.medium", 2, 4096, 40),
    ("m1.large", 4, 8192, 80),
    ("m1.xlarge", 8, 16384, 160),
    ("c1.2xlarge", 16, 32768, 160),
)
IMAGES = (("debian-12", 2, 3), ("ubuntu-24.04", 4, 4), ("rocky-9", 6, 10), ("jupyterhub", 8, 20))
WEIGHTS = (1, 1, 1, 2, 2, 3, 4, 6)
IMPLIED = {"admin": "manager", "manager": "member", "member": "reader"}
IMPLIED_ZED = {"admin": "member", "member": "reader"}


def grow(world: World) -> None:
    """Fill an empty world from its configuration."""
    rows = world.tables
    rows["domains"].seed_rows([_domain()])
    rows["roles"].seed_rows(_roles(world))
    rows["role_inferences"].seed_rows(_inferences(world))
    rows["users"].seed_rows(_users(world))
    rows["projects"].seed_rows(_projects(world))
    rows["grants"].seed_rows(_grants(world))
    rows["identity_providers"].seed_rows([_campus()])
    _grow_compute(world)
    _grow_networks(world)
    world.wheel = _wheel(world)
    world.crews = {project: world.people_of(project) for project in set(world.wheel)}
    world.populate(Kind.SERVER, world.config.servers, world.wheel)
    world.populate(Kind.VOLUME, world.config.volumes, world.wheel)
    world.populate(Kind.FLOATING_IP, world.config.servers // 4, world.wheel)
    _grow_quotas(world)


def user_id(world: World, number: int) -> str:
    return world.ids.named("user", number)


def project_id(world: World, number: int) -> str:
    return world.ids.named("project", number)


def role_id(world: World, name: str) -> str:
    return world.ids.named("role", name)


def grant_row(actor: str, target: str, role: str, *, inherited: bool = False) -> Row:
    """`actor` is user:ID or group:ID; `target` is project:ID, domain:ID or system:all."""
    return {
        "id": f"{actor}|{target}|{role}|{int(inherited)}",
        "actor": actor, "target": target, "role_id": role, "inherited": inherited,
    }  # fmt: skip


def seeded_password(name: str) -> str:
    """Of a seeded person; the admin's comes from the command line."""
    return f"emulator-{name}"


def _domain() -> Row:
    return {
        "id": DOMAIN, "name": "Default", "description": "The default domain", "enabled": True, "tags": [],
        "options": {},
    }  # fmt: skip


def role_names(release: str) -> tuple[str, ...]:
    newest = ("admin", "manager", "member", "reader", "service")
    return tuple(name for name in newest if release != "zed" or name not in ("manager", "service"))


def _roles(world: World) -> Iterator[Row]:
    for name in role_names(world.config.release):
        yield {
            "id": role_id(world, name), "name": name, "domain_id": None, "description": None,
            "options": {"immutable": True},
        }  # fmt: skip


def inference_row(prior: str, implied: str) -> Row:
    return {"id": f"{prior}|{implied}", "prior_role_id": prior, "implied_role_id": implied}


def _inferences(world: World) -> Iterator[Row]:
    table = IMPLIED_ZED if world.config.release == "zed" else IMPLIED
    for prior, implied in table.items():
        yield inference_row(role_id(world, prior), role_id(world, implied))


def _user(row_id: str, name: str, **extra: object) -> Row:
    return {
        **extra, "id": row_id, "name": name, "domain_id": DOMAIN, "enabled": True, "password_expires_at": None,
        "options": {},
    }  # fmt: skip


def people(world: World) -> int:
    return 4 * world.config.projects + 4 if world.config.projects else 0


def _users(world: World) -> Iterator[Row]:
    admin = world.ids.named("user", "admin")
    yield _user(admin, "admin", password_digest=digest(world, admin, world.config.admin_password))
    for name in SERVICE_USERS:
        yield _user(world.ids.named("user", name), name, seeded_password=True)
    for number in range(people(world)):
        name, full, mail = names.person(number)
        row = _user(user_id(world, number), name, email=mail, description=full)
        if mix(number + world.config.seed) % 10 < 3:
            row["federated"] = [{"idp_id": "campus", "protocols": [{"protocol_id": "openid", "unique_id": mail}]}]
        else:
            row["seeded_password"] = True
        yield row


def digest(world: World, user: str, password: str) -> str:
    """What is kept of a password: enough to check it, not to read it."""
    return world.ids.secret("password", user, password)


def _projects(world: World) -> Iterator[Row]:
    for name in ("admin", "service"):
        yield _project(world.ids.named("project", name), name, f"The {name} project")
    for number in range(world.config.projects):
        row = _project(project_id(world, number), names.project_name(number), names.project_title(number))
        row["tags"] = ["hpc"] if number % 7 == 3 else []
        yield row


def _project(row_id: str, name: str, description: str) -> Row:
    return {
        "id": row_id, "name": name, "domain_id": DOMAIN, "description": description, "enabled": True,
        "parent_id": DOMAIN, "is_domain": False, "tags": [], "options": {},
    }  # fmt: skip


def _grants(world: World) -> Iterator[Row]:
    admin, service = f"user:{world.ids.named('user', 'admin')}", f"project:{world.ids.named('project', 'service')}"
    yield grant_row(admin, f"project:{world.ids.named('project', 'admin')}", role_id(world, "admin"))
    yield grant_row(admin, "system:all", role_id(world, "admin"))
    for name in SERVICE_USERS:
        yield grant_row(f"user:{world.ids.named('user', name)}", service, role_id(world, "admin"))
    lead = role_id(world, "member" if world.config.release == "zed" else "manager")
    for number in range(world.config.projects):
        target, luck = f"project:{project_id(world, number)}", mix(world.config.seed * 1_000_003 + number)
        yield grant_row(f"user:{user_id(world, 4 * number)}", target, lead)
        for seat in range(1, 3 + luck % 4):
            role = role_id(world, "reader" if seat == 4 else "member")
            yield grant_row(f"user:{user_id(world, 4 * number + seat)}", target, role)


def _campus() -> Row:
    return {
        "id": "campus", "enabled": True, "description": "Campus sign-in", "domain_id": DOMAIN,
        "remote_ids": ["https://sso.campus.example"], "authorization_ttl": None,
        "protocols": [("openid", "campus_mapping")],
    }  # fmt: skip


def _grow_compute(world: World) -> None:
    flavors: list[Row] = [
        {
            "id": dashed(world.ids.named("flavor", name)), "name": name, "vcpus": vcpus, "ram": ram, "disk": disk,
            "ephemeral": 0, "swap": 0, "is_public": True, "description": None, "extra_specs": {},
        }
        for name, vcpus, ram, disk in FLAVORS
    ]  # fmt: skip
    images: list[Row] = [
        {
            "id": dashed(world.ids.named("image", name)), "name": name, "owner": world.ids.named("project", "admin"),
            "size": size * 1024**3 // 4, "min_disk": disk, "created": world.origin, "visibility": "public",
        }
        for name, size, disk in IMAGES
    ]  # fmt: skip
    world["flavors"].seed_rows(flavors)
    world["images"].seed_rows(images)
    world.flavor_ids = [flavor["id"] for flavor in flavors]
    world.image_ids = [image["id"] for image in images]


def network_row(row_id: str, name: str, project: str, created: int, *, external: bool = False, segment: int = 0) -> Row:
    return {
        "id": row_id, "name": name, "project_id": project, "admin_state_up": True, "shared": False,
        "external": external,
        "mtu": 1500 if external else 1450, "description": "", "segment": segment, "created": created,
        "updated": created,
    }  # fmt: skip


def subnet_row(row_id: str, name: str, network: Row, cidr: str, gateway: str | None, created: int) -> Row:
    return {
        "id": row_id, "name": name, "project_id": network["project_id"], "network_id": network["id"], "cidr": cidr,
        "gateway_ip": gateway, "enable_dhcp": True, "ip_version": 6 if ":" in cidr else 4, "description": "",
        "dns_nameservers": [], "created": created, "updated": created,
    }  # fmt: skip


def router_row(row_id: str, name: str, project: str, created: int, external: str | None) -> Row:
    return {
        "id": row_id, "name": name, "project_id": project, "admin_state_up": True, "external_network": external,
        "description": "", "created": created, "updated": created,
    }  # fmt: skip


def security_rule(world: World, group: str, project: str, direction: str, version: str, remote: str | None) -> Row:
    return {
        "id": dashed(world.ids.named("security-group-rule", group, direction, version)), "project_id": project,
        "tenant_id": project, "security_group_id": group, "ethertype": version, "direction": direction,
        "protocol": None,
        "port_range_min": None, "port_range_max": None, "remote_ip_prefix": None, "remote_group_id": remote,
        "remote_address_group_id": None, "normalized_cidr": None, "description": "",
        "belongs_to_default_sg": remote is not None,
    }  # fmt: skip


def default_group_id(world: World, project: str) -> str:
    return dashed(world.ids.named("security-group", project))


def default_group(world: World, project: str, created: int) -> Row:
    """The security group every project has: out to everywhere, in from itself."""
    group = default_group_id(world, project)
    ways = (("egress", None), ("ingress", group))
    rules = [security_rule(world, group, project, way, v, remote) for way, remote in ways for v in ("IPv4", "IPv6")]
    return {
        "id": group, "name": "default", "project_id": project, "description": "Default security group", "rules": rules,
        "created": created, "updated": created,
    }  # fmt: skip


def _grow_networks(world: World) -> None:
    def made(kind: str, key: object) -> str:
        return dashed(world.ids.named(kind, key))

    at = world.origin
    public = network_row(
        world.external_network, "public", world.ids.named("project", "admin"), at, external=True, segment=1
    )
    world["networks"].seed_rows([public])
    world["subnets"].seed_rows(
        [subnet_row(made("subnet", "public"), "public-v4", public, "203.0.113.0/24", "203.0.113.1", at)]
    )
    for number in range(world.config.projects):
        name, project = names.project_name(number), project_id(world, number)
        network = network_row(made("network", number), f"{name}-net", project, at, segment=1000 + number)
        block = f"10.{number // 250 % 128}.{number % 250}"
        subnet = subnet_row(made("subnet", number), f"{name}-subnet", network, f"{block}.0/24", f"{block}.1", at)
        router = router_row(made("router", number), f"{name}-router", project, at, public["id"])
        world["networks"].seed_rows([network])
        world["security_groups"].seed_rows([default_group(world, project, at)])
        world["subnets"].seed_rows([subnet])
        world["routers"].seed_rows([router])
        world["router_ports"].seed_rows(
            [
                {
                    "id": made("router-port", number), "project_id": project, "router_id": router["id"],
                    "network_id": network["id"], "subnet_id": subnet["id"], "address": f"{block}.1", "created": at,
                }
            ]
        )  # fmt: skip


def _weight(world: World, number: int) -> int:
    return WEIGHTS[mix(world.config.seed * 7_919 + number) % len(WEIGHTS)]


def _wheel(world: World) -> list[str]:
    """Every project as often as it is heavy, in a mixed order: the births go round it."""
    seats = [(number, turn) for number in range(world.config.projects) for turn in range(_weight(world, number))]
    seats.sort(key=lambda seat: mix(seat[0] * 31 + seat[1] * 1_000_003 + world.config.seed))
    return [project_id(world, number) for number, _ in seats] or [world.ids.named("project", "admin")]


def _round_up(amount: float, step: int) -> int:
    return int(-(-amount // step)) * step


def _grow_quotas(world: World) -> None:
    """About twice what the project is expected to use, in round numbers: most have room, a few are tight."""
    config, seats = world.config, max(1, len(world.wheel))
    for number in range(config.projects):
        share = _weight(world, number) / seats
        servers, disks, project = config.servers * share, config.volumes * share, project_id(world, number)
        instances = max(10, _round_up(1.5 * servers + 8, 5))
        world["compute_quotas"].seed_rows(
            [{"id": project, "instances": instances, "cores": 4 * instances, "ram": 8192 * instances}]
        )
        volumes = max(10, _round_up(1.5 * disks + 8, 5))
        world["volume_quotas"].seed_rows(
            [{"id": project, "volumes": volumes, "gigabytes": 400 * volumes, "snapshots": volumes}]
        )
        if number % 3 == 0:
            addresses = max(50, _round_up(0.6 * servers + 5, 5))
            ports = max(500, _round_up(2 * servers + 10, 10))
            world["network_quotas"].seed_rows([{"id": project, "floatingip": addresses, "port": ports}])
