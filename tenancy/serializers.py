"""People, projects, clouds and tenancies as the API gives and takes them. Credentials have no field here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from connectors.types import Role
from tenancy.models import (
    Account,
    Capability,
    Cloud,
    CloudRight,
    CloudVersion,
    Condition,
    Institution,
    Limit,
    Membership,
    Person,
    Project,
    Proof,
    SiteRole,
    Step,
    SurveyRun,
    SurveySection,
    Tenancy,
)

# --- people -----------------------------------------------------------------------------------------------------


class InstitutionSerializer(serializers.ModelSerializer[Institution]):
    parent = serializers.SlugRelatedField[Institution](  # type: ignore[assignment]  # a field of that name, as it is
        slug_field="slug", queryset=Institution.objects.all(), required=False, allow_null=True, default=None
    )

    class Meta:
        model = Institution
        fields = ("id", "name", "slug", "parent")


class PersonBriefSerializer(serializers.ModelSerializer[Person]):
    class Meta:
        model = Person
        fields = ("id", "username", "name", "email")
        read_only_fields = fields


class PersonSerializer(serializers.ModelSerializer[Person]):
    """`projects` is how many they are in now."""

    institution = serializers.SlugRelatedField[Institution](slug_field="slug", read_only=True)
    projects = serializers.IntegerField(source="project_count", read_only=True)

    class Meta:
        model = Person
        fields: tuple[str, ...] = (
            "id",
            "username",
            "name",
            "email",
            "institution",
            "is_active",
            "joined_at",
            "last_login",
            "projects",
        )
        read_only_fields: tuple[str, ...] = fields


class SiteRoleSerializer(serializers.ModelSerializer[SiteRole]):
    institution = serializers.SlugRelatedField[Institution](slug_field="slug", read_only=True)

    class Meta:
        model = SiteRole
        fields = ("role", "institution")
        read_only_fields = fields


class PersonMembershipSerializer(serializers.ModelSerializer[Membership]):
    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "project", "role", "source", "added_at")
        read_only_fields = fields


class AccountSerializer(serializers.ModelSerializer[Account]):
    """A person on a cloud. `native_id` is empty until the account is there."""

    cloud = serializers.SlugRelatedField[Cloud](slug_field="slug", read_only=True)

    class Meta:
        model = Account
        fields = ("id", "cloud", "name", "native_id", "managed", "provider", "protocol", "subject")
        read_only_fields = fields


class PersonDetailSerializer(PersonSerializer):
    site_roles = SiteRoleSerializer(many=True, read_only=True)
    memberships = PersonMembershipSerializer(many=True, read_only=True, source="current_memberships")
    accounts = AccountSerializer(many=True, read_only=True)

    class Meta(PersonSerializer.Meta):
        fields = (*PersonSerializer.Meta.fields, "site_roles", "memberships", "accounts")
        read_only_fields = fields


class IssuedSecretSerializer(serializers.Serializer[Any]):
    """`secret` is given this once and kept nowhere."""

    name = serializers.CharField(read_only=True)
    secret = serializers.CharField(read_only=True)


# --- projects ---------------------------------------------------------------------------------------------------


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """`people` counts current members; `clouds` are those the project is on or wanted on."""

    institution = serializers.SlugRelatedField[Institution](slug_field="slug", read_only=True)
    people = serializers.IntegerField(read_only=True)
    owner = serializers.CharField(source="owner_name", read_only=True, allow_null=True)
    clouds = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = (
            "id", "slug", "title", "description", "purpose", "institution", "state", "starts_on", "ends_on",
            "created_at", "archived_at", "archive_reason", "owner", "people", "clouds",
        )  # fmt: skip
        read_only_fields = fields

    def get_clouds(self, project: Project) -> list[str]:
        return sorted(tenancy.cloud.slug for tenancy in project.tenancies.all())


class ProjectMakeSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=46, required=False, default="", allow_blank=True)
    description = serializers.CharField(required=False, default="", allow_blank=True)
    purpose = serializers.ChoiceField(choices=Project.Purpose.choices)
    institution = serializers.SlugRelatedField[Institution](
        slug_field="slug", queryset=Institution.objects.all(), required=False, allow_null=True, default=None
    )
    starts_on = serializers.DateField()
    ends_on = serializers.DateField(required=False, allow_null=True, default=None)
    owner = serializers.SlugRelatedField[Person](
        slug_field="username", queryset=Person.objects.filter(is_active=True), help_text="User name."
    )


class ProjectChangeSerializer(serializers.Serializer[Any]):
    """Only what is named changes. Owners change title and description, operators the rest too."""

    title = serializers.CharField(max_length=120, required=False)
    description = serializers.CharField(required=False, allow_blank=True)
    purpose = serializers.ChoiceField(choices=Project.Purpose.choices, required=False)
    institution = serializers.SlugRelatedField[Institution](
        slug_field="slug", queryset=Institution.objects.all(), required=False, allow_null=True
    )
    ends_on = serializers.DateField(required=False, allow_null=True)


class WhySerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000)


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    person = PersonBriefSerializer(read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "person", "role", "source", "added_at")
        read_only_fields = fields


class MemberAddSerializer(serializers.Serializer[Any]):
    person = serializers.SlugRelatedField[Person](
        slug_field="username", queryset=Person.objects.filter(is_active=True), help_text="User name."
    )
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class MemberRoleSerializer(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Membership.Role.choices)


# --- clouds -----------------------------------------------------------------------------------------------------


class CloudSerializer(serializers.ModelSerializer[Cloud]):
    """`surveyed_at` is the age of what is known; null: never. `not_as_wanted` counts tenancies."""

    surveyed_at = serializers.DateTimeField(read_only=True, allow_null=True)
    tenancies = serializers.IntegerField(source="tenancy_count", read_only=True)
    not_as_wanted = serializers.IntegerField(source="unsettled_count", read_only=True)

    class Meta:
        model = Cloud
        fields: tuple[str, ...] = (
            "id", "slug", "title", "kind", "mode", "address", "accounts_come", "provider", "protocol", "issuer",
            "connected_at", "probed_at", "skew_seconds", "surveyed_at", "tenancies", "not_as_wanted", "paused_at",
            "pause_reason", "breaker_until", "breaker_reason",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class CapabilitySerializer(serializers.ModelSerializer[Capability]):
    class Meta:
        model = Capability
        fields = ("name", "value")
        read_only_fields = fields


class CloudRightSerializer(serializers.ModelSerializer[CloudRight]):
    class Meta:
        model = CloudRight
        fields = ("name", "needed_for", "ok", "message", "verbatim", "request_id")
        read_only_fields = fields


class CloudVersionSerializer(serializers.ModelSerializer[CloudVersion]):
    class Meta:
        model = CloudVersion
        fields = ("service", "found", "used", "supported", "ok")
        read_only_fields = fields


class CloudDetailSerializer(CloudSerializer):
    roles = serializers.SerializerMethodField()
    versions = CloudVersionSerializer(many=True, read_only=True)
    rights = CloudRightSerializer(many=True, read_only=True)
    capabilities = CapabilitySerializer(many=True, read_only=True)

    class Meta(CloudSerializer.Meta):
        fields = (
            *CloudSerializer.Meta.fields, "own_account", "own_tenancy", "roles", "versions", "rights", "capabilities",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_roles(self, cloud: Cloud) -> dict[str, str]:
        return {row.role: row.native for row in cloud.roles.all()}


class SettingsSerializer(serializers.Serializer[Any]):
    """`text` is what the kind of cloud reads its settings from, for OpenStack a clouds.yaml; it is never given back."""

    text = serializers.CharField(write_only=True, trim_whitespace=False)
    entry = serializers.CharField(required=False, default="", allow_blank=True, write_only=True)


class CloudConnectSerializer(SettingsSerializer):
    title = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=50, required=False, default="", allow_blank=True)
    kind = serializers.CharField(max_length=40)
    accounts_come = serializers.ChoiceField(
        choices=Cloud.Accounts.choices, required=False, default=Cloud.Accounts.LOCAL.value
    )
    provider = serializers.CharField(required=False, default="", allow_blank=True)
    protocol = serializers.CharField(required=False, default="", allow_blank=True)
    issuer = serializers.CharField(required=False, default="", allow_blank=True)
    roles = serializers.DictField(
        child=serializers.CharField(),
        required=False,
        default=dict,
        help_text=f"The cloud's roles by ours: {', '.join(Role)}.",
    )

    def validate_roles(self, roles: dict[str, str]) -> dict[Role, str]:
        try:
            return {Role(role): native for role, native in roles.items()}
        except ValueError as error:
            raise serializers.ValidationError(f"Roles are: {', '.join(Role)}.") from error


class ModeSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(choices=Cloud.Mode.choices)


class ProbeRightSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(read_only=True)
    needed_for = serializers.CharField(read_only=True)
    ok = serializers.BooleanField(read_only=True, allow_null=True)
    message = serializers.CharField(read_only=True, source="error.message", default="")
    verbatim = serializers.CharField(read_only=True, source="error.verbatim", default="")


class ProbeVersionSerializer(serializers.Serializer[Any]):
    service = serializers.CharField(read_only=True)
    found = serializers.CharField(read_only=True)
    used = serializers.CharField(read_only=True)
    supported = serializers.CharField(read_only=True)
    ok = serializers.BooleanField(read_only=True)


class ProbeSerializer(serializers.Serializer[Any]):
    """A connection test; `skew_seconds` is how far the cloud's clock is from ours, null: not known."""

    at = serializers.DateTimeField(read_only=True)
    ok = serializers.BooleanField(read_only=True)
    skew_seconds = serializers.FloatField(read_only=True, allow_null=True)
    rights = ProbeRightSerializer(many=True, read_only=True)
    versions = ProbeVersionSerializer(many=True, read_only=True)


class RefusedSerializer(serializers.Serializer[Any]):
    message = serializers.CharField(read_only=True)
    remedy = serializers.CharField(read_only=True)
    field = serializers.CharField(read_only=True)


class MissingRightsSerializer(RefusedSerializer):
    """A connection that works and lacks something; nothing was saved."""

    probe = ProbeSerializer(read_only=True)


class PlanLineSerializer(serializers.Serializer[Any]):
    """A difference between found and wanted; amounts in base units. `held` says why it is not made."""

    project = serializers.CharField(read_only=True, allow_null=True)
    tenancy = serializers.UUIDField(read_only=True, allow_null=True)
    what = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    target = serializers.CharField(read_only=True)
    found = serializers.CharField(read_only=True)
    wanted = serializers.CharField(read_only=True)
    why = serializers.CharField(read_only=True)
    held = serializers.CharField(read_only=True, allow_null=True)
    decided = serializers.BooleanField(read_only=True)
    planned_at = serializers.DateTimeField(read_only=True)


class SurveySectionSerializer(serializers.ModelSerializer[SurveySection]):
    class Meta:
        model = SurveySection
        fields = ("name", "complete", "suspect", "count", "error", "verbatim", "request_id")
        read_only_fields = fields


class SurveyRunSerializer(serializers.ModelSerializer[SurveyRun]):
    sections = SurveySectionSerializer(many=True, read_only=True)

    class Meta:
        model = SurveyRun
        fields = ("id", "state", "started_at", "finished_at", "calls", "error", "verbatim", "sections")
        read_only_fields = fields


# --- tenancies --------------------------------------------------------------------------------------------------


class ConditionSerializer(serializers.ModelSerializer[Condition]):
    class Meta:
        model = Condition
        fields = ("section", "state", "reason", "since", "seen_at", "next_try_at", "version")
        read_only_fields = fields


class TenancySerializer(serializers.ModelSerializer[Tenancy]):
    project = serializers.SlugRelatedField[Project](slug_field="slug", read_only=True)
    cloud = serializers.SlugRelatedField[Cloud](slug_field="slug", read_only=True)
    settled = serializers.BooleanField(read_only=True)
    conditions = ConditionSerializer(many=True, read_only=True)

    class Meta:
        model = Tenancy
        fields: tuple[str, ...] = (
            "id", "project", "cloud", "name", "native_id", "wanted", "wanted_version", "settled_version", "settled",
            "settled_at", "surveyed_at", "next_attempt_at", "parked_at", "verify_at", "conditions",
        )  # fmt: skip
        read_only_fields: tuple[str, ...] = fields


class LimitSerializer(serializers.ModelSerializer[Limit]):
    """Wanted, in base units; -1 is no limit."""

    class Meta:
        model = Limit
        fields = ("resource", "amount", "reason", "set_at")
        read_only_fields = fields


class ProofSerializer(serializers.ModelSerializer[Proof]):
    class Meta:
        model = Proof
        fields = ("at", "name", "ok", "detail")
        read_only_fields = fields


class TenancyDetailSerializer(TenancySerializer):
    limits = LimitSerializer(many=True, read_only=True)
    proofs = ProofSerializer(many=True, read_only=True)

    class Meta(TenancySerializer.Meta):
        fields = (*TenancySerializer.Meta.fields, "limits", "proofs")
        read_only_fields = fields


class StepSerializer(serializers.ModelSerializer[Step]):
    """One journaled change. The cloud's own words (`verbatim`, `request_id`, `call`) are given to operators only."""

    tenancy = serializers.PrimaryKeyRelatedField[Tenancy](read_only=True)

    class Meta:
        model = Step
        fields = (
            "id", "tenancy", "version", "position", "kind", "section", "target", "native_id", "before", "after",
            "now", "reason", "takes", "decided", "state", "attempts", "wrote", "planned_at", "sent_at", "settled_at",
            "detail", "error", "remedy", "verbatim", "request_id", "http_status", "call",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: Step) -> dict[str, Any]:
        row = super().to_representation(instance)
        if not self.context.get("verbatim"):
            row |= {"verbatim": "", "request_id": "", "call": "", "http_status": None}
        return row
