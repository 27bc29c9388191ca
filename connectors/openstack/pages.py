"""Reading whole lists, page by page, and knowing whether it really was the whole list.

Neither SDK pages Keystone (facts: with ``list_limit`` both return the first page without a warning), and an LDAP
backend may answer every marker with page one. So we page ourselves and stop when a page brings nothing new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from connectors.errors import BadAnswer
from connectors.openstack.session import OpenStack
from connectors.openstack.versions import Service

Row = Mapping[str, Any]
PAGE = 500


def rows_of(body: Any, key: str) -> list[Row]:
    """The list under ``key``. Raises ``BadAnswer`` if the body has none."""
    rows = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise BadAnswer(f"The answer has no list of {key}.", verbatim=str(body)[:200])
    return rows


def one_of(body: Any, key: str) -> Row:
    """The object under ``key``. Raises ``BadAnswer`` if the body has none."""
    row = body.get(key) if isinstance(body, Mapping) else None
    if not isinstance(row, Mapping):
        raise BadAnswer(f"The answer has no {key}.", verbatim=str(body)[:200])
    return row


def listed(cloud: OpenStack, service: Service, path: str, key: str, **params: Any) -> Iterator[list[Row]]:
    """Pages of Nova, Cinder, Neutron or Glance, by their own next link. Raises ``BadAnswer`` if one repeats."""
    marker: dict[str, Any] = {}
    last = ""
    while True:
        body = cloud.get(service, path, **{**params, "limit": PAGE, **marker})
        rows = rows_of(body, key)
        if rows:
            yield rows
        following = _next(body, key)
        if not rows or not following:
            return
        if str(rows[-1]["id"]) == last:
            raise BadAnswer(f"The {service} service gives the same page of {key} again and again.")
        last = str(rows[-1]["id"])
        marker = {"marker": parse_qs(urlsplit(following).query).get("marker", [last])[0]}


def _next(body: Mapping[str, Any], key: str) -> str:
    if isinstance(body.get("next"), str):
        return str(body["next"])
    links = body.get(f"{key}_links") or []
    return next((str(link["href"]) for link in links if link.get("rel") == "next"), "")


def keystone_list(cloud: OpenStack, path: str, key: str, **params: Any) -> tuple[list[Row], bool]:
    """All rows of a Keystone list and whether they are all: False if the server cut it short and does not go on."""
    rows: dict[str, Row] = {}
    marker: dict[str, Any] = {}
    while True:
        body = _keystone_page(cloud, path, {**params, "limit": PAGE, **marker})
        page = rows_of(body, key)
        fresh = [row for row in page if str(row["id"]) not in rows]
        rows.update((str(row["id"]), row) for row in page)
        links = body.get("links") if isinstance(body.get("links"), Mapping) else {}
        promised = bool(body.get("truncated") or (links and links.get("next")))
        if not fresh:
            # A server that ignores limit and marker has told everything in its first, longer page.
            return list(rows.values()), not page or (not promised and len(page) > PAGE)
        if not promised and len(page) < PAGE:
            return list(rows.values()), True
        marker = {"marker": str(page[-1]["id"])}


def _keystone_page(cloud: OpenStack, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    # The managers of keystoneclient throw the page's links away; its client gives the body.
    def read(client: Any) -> Any:
        return client.projects.client.get(f"{path}?{urlencode(params)}")[1]

    body = cloud.identity(read)
    if not isinstance(body, Mapping):
        raise BadAnswer("The answer of Keystone is not an object.", verbatim=str(body)[:200])
    return body
