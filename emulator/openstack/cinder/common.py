"""What all of Cinder shares."""

from emulator.wire import ApiError, Body, Call, Routes

PREFIX = "/volume/v3"


def routes() -> Routes:
    return Routes(PREFIX)


def bad(message: str) -> ApiError:
    return ApiError(400, message)


def forbid(rule: str) -> ApiError:
    return ApiError(403, f"Policy doesn't allow {rule} to be performed.")


def is_admin(call: Call) -> bool:
    return call.actor.is_admin and call.actor.project_id is not None


def require_admin(call: Call, rule: str) -> None:
    if not is_admin(call):
        raise forbid(rule)


def require_role(call: Call, role: str, rule: str) -> str:
    if call.actor.project_id is None or role not in call.actor.roles:
        raise forbid(rule)
    return call.actor.project_id


def links(call: Call, path: str) -> list[Body]:
    base = f"{call.base}/volume"
    return [{"rel": "self", "href": f"{base}/v3/{path}"}, {"rel": "bookmark", "href": f"{base}/{path}"}]


def over_quota(name: str, asked: int, limit: int, used: int) -> ApiError:
    """413, and Retry-After 0: Cinder's over-limit looks like a rate limit and is none."""
    if name == "volumes":
        text = f"VolumeLimitExceeded: Maximum number of volumes allowed ({limit}) exceeded for quota 'volumes'."
    elif name == "snapshots":
        text = f"SnapshotLimitExceeded: Maximum number of snapshots allowed ({limit}) exceeded"
    else:
        text = (
            f"VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed {name} quota. "
            f"Requested {asked}G, quota is {limit}G and {used}G has been consumed."
        )
    return ApiError(413, text, headers={"Retry-After": "0"})
