"""The settings of an OpenStack cloud: one entry of ``clouds.yaml``, read strictly and loaded by openstacksdk.

Source: https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html. What names a file of the
computer it was written on, runs a helper or loads a vendor's profile is refused: the entry comes from a person's
clipboard and is used on our host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import yaml
from keystoneauth1.exceptions import ClientException
from openstack.config import OpenStackConfig
from openstack.config.cloud_region import CloudRegion
from openstack.exceptions import SDKException

from connectors.errors import Misconfigured

SECRETS = (("auth", "password"), ("auth", "application_credential_secret"), ("auth", "token"))
HINT = (
    "One entry of a clouds.yaml with its password or application credential. Own keys go under “tenantry:”: domain "
    "(for projects and people), accounts (local, existing or federated) and, if federated, provider and protocol."
)

_SERVICES = ("compute", "block_storage", "volume", "network", "image", "placement", "identity")
_AUTH_TYPES = {
    "password": "v3password",
    "v3password": "v3password",
    "v3applicationcredential": "v3applicationcredential",
    "token": "v3token",
    "v3token": "v3token",
}
_NEEDS = {
    "v3password": (("username", "user_id"), ("password",), ("project_name", "project_id")),
    "v3token": (("token",), ("project_name", "project_id")),
    "v3applicationcredential": (
        ("application_credential_id", "application_credential_name"),
        ("application_credential_secret",),
    ),
}
_AUTH_KEYS = frozenset(
    (
        *("auth_url", "username", "user_id", "user_domain_name", "user_domain_id", "password", "token"),
        *("project_name", "project_id", "project_domain_name", "project_domain_id"),
        *("application_credential_id", "application_credential_name", "application_credential_secret"),
    )
)
_FILES = ("cacert", "cert", "key")
_FOREIGN = ("profile", "cloud", "vendor_hook")
_API_VERSIONS = ("identity", "compute", "volume", "block_storage", "network", "image")
_IGNORED = frozenset(
    (
        *(f"{service}_api_version" for service in _API_VERSIONS),
        *("networks", "api_timeout", "floating_ip_source", "nat_source", "cache", "metrics"),
    )
)
_KEYS = frozenset(
    ["auth", "auth_type", "region_name", "regions", "interface", "endpoint_type", "verify", "insecure", "cacert_pem"]
    + ["tenantry"]
    + [f"{service}_{what}" for service in _SERVICES for what in ("endpoint_override", "default_microversion")]
)
_OWN_KEYS = frozenset(("domain", "accounts", "provider", "protocol"))
_ACCOUNTS = ("local", "existing", "federated")


@dataclass(frozen=True, slots=True)
class Own:
    """Our own part of the entry: where projects and people live and how people become users of the cloud."""

    domain: str = ""
    accounts: str = "local"
    provider: str = ""
    protocol: str = ""


def parse(text: str, cloud_name: str) -> Mapping[str, Any]:
    """The entry called ``cloud_name`` (or the only one) of a pasted ``clouds.yaml``, checked.

    Raises ``Misconfigured`` with one sentence for whatever is wrong; it never quotes a value, only names of keys.
    """
    entry = dict(_entry(_load(text), cloud_name))
    check(entry)
    return entry


def check(entry: Mapping[str, Any]) -> None:
    """Raise ``Misconfigured`` unless openstacksdk can build a connection from this entry without a file of ours."""
    _keys(entry)
    _auth(entry)
    _verify(entry)
    own(entry)


def own(entry: Mapping[str, Any]) -> Own:
    part = entry.get("tenantry") or {}
    if not isinstance(part, Mapping):
        raise Misconfigured("“tenantry” in the entry must be a mapping of keys and values.")
    if unknown := sorted(str(key) for key in set(part) - _OWN_KEYS):
        raise Misconfigured(f"“tenantry” in the entry has unknown keys: {', '.join(unknown)}.")
    if wrong := sorted(key for key, value in part.items() if not isinstance(value, str)):
        raise Misconfigured(f"Under “tenantry” these must be text: {', '.join(wrong)}.")
    found = Own(**part)
    if found.accounts not in _ACCOUNTS:
        raise Misconfigured(f"“tenantry: accounts” must be one of: {', '.join(_ACCOUNTS)}.")
    if found.accounts == "federated" and not (found.provider and found.protocol):
        raise Misconfigured("“tenantry: accounts: federated” needs “provider” and “protocol” beside it.")
    return found


def domain_of(entry: Mapping[str, Any]) -> str:
    """Name or id of the domain for projects and people: ours, else the one we log in to, else ``default``."""
    auth = entry.get("auth") or {}
    configured = own(entry).domain
    login = auth.get("project_domain_id") or auth.get("project_domain_name")
    return str(configured or login or auth.get("user_domain_id") or auth.get("user_domain_name") or "default")


def region(entry: Mapping[str, Any], name: str) -> CloudRegion:
    """The entry as openstacksdk understands it: its auth plugin, region, interface and overrides.

    Files and variables of the host are not looked at.
    """
    check(entry)
    plain = {key: value for key, value in entry.items() if key not in {"tenantry", "cacert_pem", *_IGNORED}}
    plain["auth_type"] = _AUTH_TYPES[str(entry.get("auth_type") or "password")]
    plain["auth"] = dict(entry["auth"], auth_url=_versioned(str(entry["auth"]["auth_url"])))
    loader = OpenStackConfig(load_yaml_config=False, load_envvars=False)
    loader.cloud_config = {"clouds": {name: plain}}
    try:
        return loader.get_one(name)
    except (SDKException, ClientException, TypeError, ValueError) as error:
        raise Misconfigured(
            "openstacksdk cannot use this entry of clouds.yaml.", verbatim=f"{type(error).__name__}: {error}"
        ) from error


def _versioned(auth_url: str) -> str:
    """Identity v3 is the only one there is: naming it saves a discovery call for each new token."""
    url = auth_url.rstrip("/")
    return url if url.endswith("/v3") else f"{url}/v3"


def _load(text: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
        # The parser quotes the lines around the fault, and a password may stand there.
        raise Misconfigured(f"This is not valid YAML{where}.") from None
    if not isinstance(document, Mapping):
        raise Misconfigured("This is not a clouds.yaml: it must start with “clouds:”.")
    clouds = document.get("clouds")
    if not isinstance(clouds, Mapping) or not clouds:
        raise Misconfigured("This clouds.yaml has no cloud under “clouds:”.")
    return clouds


def _entry(clouds: Mapping[str, Any], cloud_name: str) -> Mapping[str, Any]:
    names = ", ".join(sorted(str(name) for name in clouds))
    if cloud_name and cloud_name not in clouds:
        raise Misconfigured(f"There is no cloud “{cloud_name}” in it; it has: {names}.")
    if not cloud_name and len(clouds) > 1:
        raise Misconfigured(f"It has several clouds; say which one you mean: {names}.")
    entry = clouds[cloud_name] if cloud_name else next(iter(clouds.values()))
    if not isinstance(entry, Mapping):
        raise Misconfigured("The cloud's entry must be a mapping of keys and values.")
    return entry


def _keys(entry: Mapping[str, Any]) -> None:
    if files := [key for key in _FILES if key in entry]:
        raise Misconfigured(
            f"“{files[0]}” names a file on the computer this was written for. Put a certificate authority's text "
            "itself under “cacert_pem”; client certificates are not supported."
        )
    if foreign := [key for key in _FOREIGN if key in entry]:
        raise Misconfigured(f"“{foreign[0]}” loads settings from elsewhere; write them out in the entry.")
    if unknown := sorted(str(key) for key in set(entry) - _KEYS - _IGNORED):
        raise Misconfigured(f"The entry has keys Tenantry does not know: {', '.join(unknown)}.")
    regions = entry.get("regions")
    if regions and not entry.get("region_name") and not (isinstance(regions, list) and len(regions) == 1):
        raise Misconfigured("The entry has several regions; connect each as its own cloud with “region_name”.")


def _auth(entry: Mapping[str, Any]) -> None:
    auth = entry.get("auth")
    if not isinstance(auth, Mapping):
        raise Misconfigured("The entry has no “auth:” with the address and the credential.")
    kind = entry.get("auth_type") or "password"
    if kind not in _AUTH_TYPES:
        raise Misconfigured(f"This “auth_type” is not supported; use one of: {', '.join(_AUTH_TYPES)}.")
    if unknown := sorted(str(key) for key in set(auth) - _AUTH_KEYS):
        raise Misconfigured(f"“auth” has keys Tenantry does not use: {', '.join(unknown)}. It needs a project scope.")
    if wrong := sorted(key for key, value in auth.items() if not isinstance(value, str)):
        raise Misconfigured(f"Under “auth” these must be text (put them in quotes): {', '.join(wrong)}.")
    address = urlsplit(auth.get("auth_url") or "")
    if address.scheme not in ("http", "https") or not address.hostname or address.username or address.password:
        raise Misconfigured("“auth_url” must be the http(s) address of the identity service, without a password.")
    for choices in _NEEDS[_AUTH_TYPES[kind]]:
        if not any(auth.get(key) for key in choices):
            raise Misconfigured(f"“auth” lacks {' or '.join(f'“{key}”' for key in choices)} for “auth_type: {kind}”.")
    by_name = auth.get("username") and not (auth.get("user_domain_name") or auth.get("user_domain_id"))
    if _AUTH_TYPES[kind] == "v3password" and by_name:
        raise Misconfigured("“username” needs “user_domain_name” or “user_domain_id” beside it.")
    scoped = auth.get("project_name") and not (auth.get("project_domain_name") or auth.get("project_domain_id"))
    if scoped:
        raise Misconfigured("“project_name” needs “project_domain_name” or “project_domain_id” beside it.")


def _verify(entry: Mapping[str, Any]) -> None:
    for key in ("verify", "insecure"):
        if key in entry and not isinstance(entry[key], bool):
            raise Misconfigured(f"“{key}” must be true or false; a certificate's text goes under “cacert_pem”.")
    pem = entry.get("cacert_pem")
    if pem is not None and not (isinstance(pem, str) and "-----BEGIN CERTIFICATE-----" in pem):
        raise Misconfigured("“cacert_pem” must be the text of a certificate: -----BEGIN CERTIFICATE----- and so on.")
