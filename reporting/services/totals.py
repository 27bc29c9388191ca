"""Daily totals, recomputed from the spans whenever these change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, ExpressionWrapper, F, Q
from django.db.models.functions import Greatest, Least

from reporting import ledger
from reporting.errors import LedgerError
from reporting.exact import exact_sum, exact_value
from reporting.models import Accuracy, DailyTotal, Span


def totals_recompute(*, holders: Collection[int], meters: Collection[int], days: Iterable[date]) -> None:
    """Make the daily totals of these holders, meters and UTC days what the spans say; call it in their transaction.

    Raises LedgerError if a total does not fit 63 bits.
    """
    if not holders:
        return
    for day in days:
        fresh = _day_totals(holders, meters, day)
        kept = {(total.holder_id, total.meter_id) for total in fresh}
        rows = DailyTotal.objects.filter(day=day, holder__in=holders, meter__in=meters)
        gone = [
            pk for pk, holder, meter in rows.values_list("id", "holder_id", "meter_id") if (holder, meter) not in kept
        ]
        DailyTotal.objects.filter(pk__in=gone).delete()
        DailyTotal.objects.bulk_create(
            fresh,
            update_conflicts=True,
            unique_fields=["holder", "meter", "day"],
            update_fields=["quantity_seconds", "sampled", "estimated"],
        )


def _day_totals(holders: Collection[int], meters: Collection[int], day: date) -> list[DailyTotal]:
    start = ledger.day_start(day)
    end = start + ledger.DAY
    seconds = Least(F("end"), end) - Greatest(F("start"), start)
    product = ExpressionWrapper(F("quantity") * seconds, output_field=BigIntegerField())
    rows = (
        Span.objects.filter(thing__holder__in=holders, meter__in=meters, start__lt=end, end__gt=start)
        .order_by()
        .values("thing__holder", "meter")
        .annotate(
            **exact_sum("whole", product),
            **exact_sum("sampled", product, Q(accuracy=Accuracy.SAMPLED)),
            **exact_sum("estimated", product, Q(accuracy=Accuracy.ESTIMATED)),
        )
    )
    return [_total(row, day) for row in rows]


def _total(row: Mapping[str, Any], day: date) -> DailyTotal:
    whole = exact_value(row, "whole")
    if whole > ledger.MOST:
        raise LedgerError(f"The total of {day} of one tenancy does not fit 63 bits ({whole}).")
    return DailyTotal(
        holder_id=row["thing__holder"],
        meter_id=row["meter"],
        day=day,
        quantity_seconds=whole,
        sampled=exact_value(row, "sampled"),
        estimated=exact_value(row, "estimated"),
    )
