"""Tokens: opaque texts that Keystone issues, and what the services believe of them and for how long."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Literal

from emulator.tables import Row
from emulator.world import World

CACHE_SECONDS = 300  # how long a service trusts a token it has validated once (keystonemiddleware's default)

ScopeKind = Literal["project", "domain", "system", ""]


@dataclass(slots=True)
class Token:
    id: str
    user_id: str
    scope: ScopeKind
    scope_id: str
    issued: float
    expires: float
    methods: list[str]
    audit_ids: list[str]
    credential_id: str | None = None
    revoked: bool = False
    _actor: "Actor | None" = None
    _version: int = -1

    @property
    def project_id(self) -> str | None:
        return self.scope_id if self.scope == "project" else None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls, with what rights: role names are those of the token's scope, implied ones included."""

    token: Token
    user_id: str
    user_domain: str
    roles: frozenset[str]
    project_id: str | None
    domain_id: str | None
    system: bool

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    @property
    def restricted(self) -> bool:
        """By an application credential that may not make another one."""
        return "application_credential" in self.token.methods


@dataclass(slots=True)
class TokenStore:
    world: World
    tokens: dict[str, Token] = field(default_factory=dict)
    _by_user: dict[str, list[Token]] = field(default_factory=lambda: defaultdict(list))
    _seen: dict[tuple[str, str], tuple[float, Actor]] = field(default_factory=dict)
    _count: int = 0

    def issue(
        self,
        user_id: str,
        scope: ScopeKind,
        scope_id: str,
        methods: list[str],
        *,
        parent: Token | None = None,
        credential: Row | None = None,
    ) -> Token:
        self._count += 1
        now = self.world.now
        secret = self.world.ids.secret("token", self._count, now, size=64)
        audit = [self.world.ids.secret("audit", self._count, now, size=11)] + (parent.audit_ids[-1:] if parent else [])
        expires = float(int(now)) + self.world.config.token_seconds
        token = Token(
            id="gAAAAA" + secret + self.world.ids.secret("token-tail", self._count, now, size=24),
            user_id=user_id,
            scope=scope,
            scope_id=scope_id,
            issued=float(int(now)),
            expires=min(expires, parent.expires) if parent else expires,
            methods=methods,
            audit_ids=audit,
            credential_id=credential["id"] if credential else None,
        )
        self.tokens[token.id] = token
        self._by_user[user_id].append(token)
        if self._count % 512 == 0:
            self._forget_expired(now)
        return token

    def validate(self, token_id: str | None) -> Actor | None:
        """As Keystone sees the token now; None for anything but a valid one."""
        token = self.tokens.get(token_id or "")
        if token is None or token.revoked or token.expires <= self.world.now:
            return None
        if token._version != self.world.log.version:
            token._actor, token._version = self._actor(token), self.world.log.version
        return token._actor

    def accept(self, service: str, token_id: str | None) -> Actor | None:
        """As a service sees it: a token once validated is believed for 300 s, whatever Keystone says meanwhile."""
        now, key = self.world.now, (service, token_id or "")
        seen = self._seen.get(key)
        if seen is not None and now < seen[0] and self.world.config.token_cache:
            return seen[1] if seen[1].token.expires > now else None
        actor = self.validate(token_id)
        if actor is not None:
            self._seen[key] = (now + CACHE_SECONDS, actor)
        return actor

    def revoke(self, *, user_id: str | None = None, scope: ScopeKind = "", scope_id: str | None = None) -> None:
        """Every token of the user, of the scope, or of the user on the scope, and for ever."""
        hit = [
            token
            for token in (self._by_user[user_id] if user_id else self.tokens.values())
            if not token.revoked and (scope_id is None or (token.scope == scope and token.scope_id == scope_id))
        ]
        self._mark(hit, revoked=True)

    def revoke_one(self, token: Token) -> None:
        self._mark([token], revoked=True)

    def _mark(self, tokens: list[Token], *, revoked: bool) -> None:
        for token in tokens:
            token.revoked = revoked
        self.world.log.record(lambda: self._mark(tokens, revoked=not revoked))

    def expire(self, token_id: str) -> None:
        """A token that ends before its time, in Keystone and in every service's memory."""
        if token_id in self.tokens:
            self.tokens[token_id].expires = self.world.now

    def _forget_expired(self, now: float) -> None:
        # Expired tokens answer like unknown ones except to allow_expired, which is asked soon after if at all.
        for token in [t for t in self.tokens.values() if t.expires + 86_400 < now]:
            del self.tokens[token.id]
            self._by_user[token.user_id].remove(token)
        self._seen = {key: seen for key, seen in self._seen.items() if seen[0] > now}

    def _actor(self, token: Token) -> Actor | None:
        user = self.world["users"].get(token.user_id)
        if user is None or not user["enabled"]:
            return None
        roles = self.roles_of(token.user_id, token.scope, token.scope_id)
        if token.scope and not roles:
            return None
        if token.credential_id is not None:
            credential = self.world["application_credentials"].get(token.credential_id)
            if credential is None or not set(credential["role_ids"]) <= roles:
                return None
            roles = frozenset(credential["role_ids"])
        names = {self.world["roles"].rows[role]["name"] for role in self.implied(roles)}
        return Actor(
            token=token,
            user_id=token.user_id,
            user_domain=user["domain_id"],
            roles=frozenset(names),
            project_id=token.project_id,
            domain_id=token.scope_id if token.scope == "domain" else None,
            system=token.scope == "system",
        )

    def roles_of(self, user_id: str, scope: ScopeKind, scope_id: str) -> frozenset[str]:
        """Role ids of a user on a scope, implied ones included; empty when the scope is gone or disabled."""
        if scope == "project":
            return self._project_roles(user_id, scope_id)
        if scope == "domain":
            domain = self.world["domains"].get(scope_id)
            if domain is None or not domain["enabled"]:
                return frozenset()
        if not scope:
            return frozenset()
        return self.implied(self._granted(user_id, f"{scope}:{scope_id}", inherited=False))

    def _project_roles(self, user_id: str, project_id: str) -> frozenset[str]:
        project = self.world["projects"].get(project_id)
        if project is None or not project["enabled"]:
            return frozenset()
        domain = self.world["domains"].get(project["domain_id"])
        if domain is None or not domain["enabled"]:
            return frozenset()
        roles = self._granted(user_id, f"project:{project_id}", inherited=False)
        roles |= self._granted(user_id, f"domain:{domain['id']}", inherited=True)
        for parent in ancestors(self.world, project):
            roles |= self._granted(user_id, f"project:{parent['id']}", inherited=True)
        return self.implied(roles)

    def _granted(self, user_id: str, target: str, *, inherited: bool) -> set[str]:
        actors = {f"user:{user_id}"}
        actors |= {f"group:{row['group_id']}" for row in self.world["group_members"].find("user_id", user_id)}
        grants = self.world["grants"].find("target", target)
        return {g["role_id"] for g in grants if g["inherited"] == inherited and g["actor"] in actors}

    def implied(self, roles: "set[str] | frozenset[str]") -> frozenset[str]:
        found, todo = set(roles), list(roles)
        while todo:
            for row in self.world["role_inferences"].find("prior_role_id", todo.pop()):
                if row["implied_role_id"] not in found:
                    found.add(row["implied_role_id"])
                    todo.append(row["implied_role_id"])
        return frozenset(found)


def ancestors(world: World, project: Row) -> list[Row]:
    """Parent projects, nearest first; the domain is not one of them."""
    found: list[Row] = []
    parent = world["projects"].get(project["parent_id"] or "")
    while parent is not None and len(found) < 20:
        found.append(parent)
        parent = world["projects"].get(parent["parent_id"] or "")
    return found
