"""People, institutions, projects and who is in them."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q

from config import clock
from connectors.types import Role as ConnectorRole


class Institution(models.Model):
    """An organisation or a department of one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="departments")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PersonManager(BaseUserManager["Person"]):
    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Person:
        person = self.model(username=self.model.normalize_username(username), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> Person:
        """A person who is also an operator; for the first login of a new site."""
        fields.setdefault("is_superuser", True)
        person = self.create_user(username, password, **fields)
        SiteRole.objects.get_or_create(person=person, role=SiteRole.Role.OPERATOR, institution=None)
        return person


class Person(AbstractBaseUser, PermissionsMixin):
    """A human. Who has no linked identity and no password is a person without a login.

    E-mail is not unique and never identifies anybody: identities are issuer + subject (allauth's rows).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(blank=True, db_index=True)
    institution = models.ForeignKey(
        Institution, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=clock.now)

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        ordering = ("name", "username")
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return (self.name or self.username).split(" ")[0]

    @property
    def is_staff(self) -> bool:
        return self.is_superuser


class SiteRole(models.Model):
    """What a person may do for the whole site, or for one institution."""

    class Role(models.TextChoices):
        OPERATOR = "operator", "operator"
        REVIEWER = "reviewer", "reviewer"
        FINANCE = "finance", "finance"
        INSTITUTION_ADMIN = "institution-admin", "institution admin"

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="site_roles")
    role = models.CharField(max_length=20, choices=Role)
    institution = models.ForeignKey(Institution, null=True, blank=True, on_delete=models.CASCADE)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("person", "role"), condition=Q(institution__isnull=True), name="site_role_once"
            ),
            models.UniqueConstraint(fields=("person", "role", "institution"), name="institution_role_once"),
        )


class ProjectQuerySet(models.QuerySet["Project"]):
    def real(self) -> ProjectQuerySet:
        """Without canaries, which are left out of bills, divisions and counts."""
        return self.exclude(purpose=Project.Purpose.CANARY)

    def open(self) -> ProjectQuerySet:
        return self.filter(state=Project.State.OPEN)


class Project(models.Model):
    """A group of people with a purpose, grants and an end date."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ARCHIVED = "archived", "archived"

    class Purpose(models.TextChoices):
        RESEARCH = "research", "Research"
        TEACHING = "teaching", "Teaching"
        SERVICE = "service", "Service"
        CANARY = "canary", "Canary"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    purpose = models.CharField(max_length=20, choices=Purpose, default=Purpose.RESEARCH)
    institution = models.ForeignKey(Institution, null=True, on_delete=models.PROTECT, related_name="projects")
    state = models.CharField(max_length=20, choices=State, default=State.OPEN, db_index=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    archived_at = models.DateTimeField(null=True, blank=True)
    archived_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    archive_reason = models.TextField(blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("title", "id")

    def __str__(self) -> str:
        return self.title


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(self) -> MembershipQuerySet:
        return self.filter(ended_at__isnull=True)

    def ended(self) -> MembershipQuerySet:
        return self.filter(ended_at__isnull=False)


class Membership(models.Model):
    """A person in a project. Rows are ended, not deleted, so that a removal knows who decided it."""

    class Role(models.TextChoices):
        OWNER = ConnectorRole.OWNER.value, "owner"
        MANAGER = ConnectorRole.MANAGER.value, "manager"
        MEMBER = ConnectorRole.MEMBER.value, "member"
        VIEWER = ConnectorRole.VIEWER.value, "viewer"

    class EndReason(models.TextChoices):
        PERSON = "person", "removed by a person"
        LEFT = "left", "left"
        IMPORT = "import", "missing from an import"
        EXPIRY = "expiry", "announced expiry"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    source = models.CharField(max_length=80, blank=True)
    added_at = models.DateTimeField(default=clock.now)
    added_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    end_reason = models.CharField(max_length=10, choices=EndReason, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ("added_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("project", "person"), condition=Q(ended_at__isnull=True), name="membership_once"
            ),
        )
        indexes = (models.Index(fields=("person", "ended_at")),)

    def __str__(self) -> str:
        return f"{self.person} in {self.project} as {self.role}"

    @property
    def end_decided(self) -> bool:
        """An import did not decide anything; a person, who leaves or removes, and an announced date did."""
        return self.end_reason != self.EndReason.IMPORT
