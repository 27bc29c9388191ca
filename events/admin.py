from django.contrib import admin
from django.http import HttpRequest

from events.models import AuditEntry, Outbox


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic in the stubs only
    """A look at the rows; changing them is the services' business."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "actor_label", "verb", "summary"]
    list_filter = ["verb"]
    search_fields = ["summary", "actor_label", "target_id", "request_id"]


@admin.register(Outbox)
class OutboxAdmin(ReadOnlyAdmin):
    list_display = ["key", "kind", "to", "due_at", "attempts", "sent_at", "parked_at"]
    list_filter = ["kind"]
    search_fields = ["key", "to"]
