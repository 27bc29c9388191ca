"""What all of Nova shares: rights, not found, links, the caller's project."""

from emulator.wire import ApiError, Body, Call, Routes

PREFIX = "/compute/v2.1"


def routes() -> Routes:
    return Routes(PREFIX)


def forbid(rule: str) -> ApiError:
    return ApiError(403, f"Policy doesn't allow os_compute_api:{rule} to be performed.")


def is_admin(call: Call) -> bool:
    """Nova's admin holds the role on a project: a domain or system token does not do."""
    return call.actor.is_admin and call.actor.project_id is not None


def require_admin(call: Call, rule: str) -> None:
    if not is_admin(call):
        raise forbid(rule)


def require_role(call: Call, role: str, rule: str) -> str:
    """The project of a caller who holds the role (or one that implies it) on it."""
    if call.actor.project_id is None or role not in call.actor.roles:
        raise forbid(rule)
    return call.actor.project_id


def require_project(call: Call, project_id: str, rule: str) -> None:
    """Admin, or a reader of that very project."""
    if not is_admin(call) and (call.actor.project_id != project_id or "reader" not in call.actor.roles):
        raise forbid(rule)


def links(call: Call, path: str) -> list[Body]:
    base = f"{call.base}/compute"
    return [{"rel": "self", "href": f"{base}/v2.1/{path}"}, {"rel": "bookmark", "href": f"{base}/{path}"}]


def bad(message: str) -> ApiError:
    return ApiError(400, message)


def invalid(field: str, value: object, why: str) -> ApiError:
    return bad(f"Invalid input for field/attribute {field}. Value: {value}. {why}")
