"""Meters, sparks and stacked bars as SVG text. Pure; what is not known is striped grey, never an empty bar.

Every drawing is decoration beside its numbers (aria-hidden) except charts, which carry a label and a table.
Sizes are in the view box's own units; the stylesheet gives the size on the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal.wording import figure

NEAR = Decimal("0.9")
CLOUD_COLOURS = 3
_BOX = SafeString('viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"')
_NOTHING = SafeString("")


@dataclass(frozen=True)
class Share:
    """What one cloud has of a promise: its limit and use in the promise's unit; `used` None is not known."""

    colour: int
    limit: int
    used: int | None


@dataclass(frozen=True)
class Series:
    """One colour of a chart: a value a slot (None: not known), and the slots whose value is estimated."""

    label: str
    colour: int
    values: Sequence[Decimal | int | None]
    estimated: frozenset[int] = frozenset()
    hrefs: Sequence[str] = ()


@dataclass(frozen=True)
class Chart:
    """Stacked bars over slots of time. `labels` name the slots; series may be shorter: those slots are not over yet."""

    id: str
    title: str
    unit: str
    labels: Sequence[str]
    series: Sequence[Series] = field(default_factory=tuple)

    def unknown(self) -> list[int]:
        """Slots where some series has no value."""
        return sorted({slot for each in self.series for slot, value in enumerate(each.values) if value is None})

    @property
    def data_id(self) -> str:
        """The id of the JSON script element that charts.js reads."""
        return f"{self.id}-data"

    def begun(self, slot: int) -> list[Series]:
        """The series that have a value, known or not, for a slot."""
        return [each for each in self.series if slot < len(each.values)]

    def known(self, slot: int) -> Decimal:
        """Sum of what is known of a slot."""
        return sum((Decimal(each.values[slot] or 0) for each in self.begun(slot)), Decimal(0))

    def total(self, slot: int) -> Decimal | None:
        """Sum of a slot over the series; None when one of them is not known or none has begun."""
        begun = self.begun(slot)
        return self.known(slot) if begun and all(each.values[slot] is not None for each in begun) else None

    def rows(self) -> Iterator[tuple[str, list[tuple[str, str, bool]], str]]:
        """The table beside the chart: (slot label, [(value, href, estimated)], total) for slots that have begun."""
        for slot in range(max((len(each.values) for each in self.series), default=0)):
            cells = [
                (figure(each.values[slot]), each.hrefs[slot] if each.hrefs else "", slot in each.estimated)
                for each in self.begun(slot)
            ]
            yield self.labels[slot], cells, figure(self.total(slot))

    def data(self) -> dict[str, object]:
        """What charts.js reads from the JSON script element."""
        return {
            "title": self.title,
            "unit": self.unit,
            "labels": list(self.labels),
            "unknown": self.unknown(),
            "series": [
                {
                    "label": each.label,
                    "colour": colour_number(each.colour),
                    "values": [None if value is None else float(value) for value in each.values],
                    "estimated": sorted(each.estimated),
                }
                for each in self.series
            ],
        }


def colour_number(colour: int) -> int:
    """The colour 1..3 of the stylesheet for a cloud's colour 1..; the same on every page."""
    return (colour - 1) % CLOUD_COLOURS + 1


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    return f"{Decimal(part) * 100 / Decimal(whole):.1f}"


def level(used: int | None, limit: int | None) -> str:
    """none (not known), ok, near (from 90 %) or over, of use against a limit; no limit (-1) is always ok."""
    if used is None or limit is None:
        return "none"
    if limit < 0 or used == 0:
        return "ok"
    if used > limit:
        return "over"
    return "near" if Decimal(used) / limit >= NEAR else "ok"


def meter(used: int | None, limit: int | None) -> SafeString:
    """Use against a limit as a bar; over the limit the bar is full and a tick marks where the limit lies."""
    kind = level(used, limit)
    if used is None or limit is None:
        return format_html('<svg class="meter none" {}></svg>', _BOX)
    if limit < 0:
        return format_html('<svg class="meter" {}></svg>', _BOX)
    if kind == "over":
        tick = format_html('<rect class="tick" x="{}" width="1" height="6"/>', _percent(limit, used)) if limit else ""
        return format_html('<svg class="meter over" {}><rect class="use" width="100" height="6"/>{}</svg>', _BOX, tick)
    width = _percent(used, limit) if limit else "0"
    return format_html('<svg class="meter {}" {}><rect class="use" width="{}" height="6"/></svg>', kind, _BOX, width)


def division(promise: int, shares: Sequence[Share]) -> SafeString:
    """A promise divided over clouds: pale a cloud's limit, strong its use, grey not divided, striped unknown."""
    whole = max(promise, sum(share.limit for share in shares))
    if whole <= 0:
        return format_html('<svg class="meter tall" {}></svg>', _BOX)
    left, bars = Decimal(0), []
    for share in shares:
        width = Decimal(share.limit) * 100 / whole
        shown = max(width - Decimal("0.4"), Decimal(0))
        if share.used is None:
            bars.append(_bar("unknown", left, shown))
        else:
            used = min(Decimal(share.used) * 100 / whole, shown)
            colour = colour_number(share.colour)
            bars += [_bar(f"c{colour} f", left, shown), _bar(f"c{colour}", left, used)]
        left += width
    return format_html('<svg class="meter tall" {}>{}</svg>', _BOX, _joined(bars))


def capacity(colour: int, used: int | None, promised: int, total: int) -> SafeString:
    """Used (strong) and promised (pale) of a total; a tick marks the total when more than it is promised."""
    whole = max(used or 0, promised, total)
    if used is None or whole <= 0:
        return format_html('<svg class="meter none tall" {}></svg>', _BOX)
    tone = f"c{colour_number(colour)}"
    bars = _bar(f"{tone} f", Decimal(0), Decimal(promised) * 100 / whole)
    bars += _bar(tone, Decimal(0), Decimal(used) * 100 / whole)
    if whole > total:
        bars += _bar("tick", Decimal(total) * 100 / whole, Decimal("0.9"))
    return format_html('<svg class="meter tall" {}>{}</svg>', _BOX, bars)


def spark(values: Sequence[Decimal | int], label: str) -> SafeString:
    """A trend without axes; `label` says the same in words."""
    if len(values) < 2:
        return _NOTHING
    top = max(values) * Decimal("1.1") or Decimal(1)
    across = Decimal(100) / (len(values) - 1)
    points = " ".join(f"{i * across:.1f},{40 - 40 * Decimal(v) / top:.1f}" for i, v in enumerate(values))
    return format_html(
        '<svg class="spark" viewBox="0 0 100 40" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polygon points="0,40 {} 100,40"/><polyline points="{}"/></svg>',
        label,
        points,
        points,
    )


def bars(chart: Chart) -> SafeString:
    """Stacked bars with a y scale of at most five lines and the slots' labels below."""
    slots = len(chart.labels)
    step, lines = _scale(max((chart.known(slot) for slot in range(slots)), default=Decimal(0)))
    columns = [_column(chart, slot, Decimal(1000) / slots, step * lines) for slot in range(slots)]
    grid = format_html_join(
        "",
        '<line x1="0" x2="1000" y1="{}" y2="{}"/>',
        ((y, y) for y in (f"{200 * i / lines:.1f}" for i in range(lines + 1))),
    )
    scale = format_html_join("", "<span>{}</span>", ((figure(step * (lines - i)),) for i in range(lines + 1)))
    names = format_html_join("", "<span>{}</span>", ((label,) for label in chart.labels))
    return format_html(
        '<div class="chart"><div class="y" aria-hidden="true">{}</div>'
        '<svg viewBox="0 0 1000 200" preserveAspectRatio="none" role="img" aria-label="{}">{}{}</svg>'
        '<div class="x" aria-hidden="true">{}</div></div>',
        scale,
        chart.title,
        grid,
        _joined(columns),
        names,
    )


def _scale(highest: Decimal) -> tuple[Decimal, int]:
    """The step between lines (1, 2 or 5 times a power of ten) and how many steps hold `highest`."""
    power = Decimal(1).scaleb(highest.adjusted() - 1) if highest else Decimal(1)
    step = next(power * n for n in (1, 2, 5, 10, 20, 50) if highest <= 4 * power * n)
    return step, max(int((highest / step).to_integral_value(ROUND_CEILING)), 1)


def _column(chart: Chart, slot: int, width: Decimal, top: Decimal) -> SafeString:
    begun, total = chart.begun(slot), chart.total(slot)
    if not begun:
        return _NOTHING
    left, wide = slot * width + width * Decimal("0.14"), width * Decimal("0.72")
    blocks, y = [], Decimal(200)
    if total is None:
        blocks.append(_block("gap", left, Decimal(0), wide, Decimal(200)))
    for each in begun:
        height = 200 * Decimal(each.values[slot] or 0) / top
        y -= height
        if height > Decimal("0.2"):
            shown = min(height, max(height - Decimal("0.8"), Decimal("0.4")))
            blocks.append(_block(f"c{colour_number(each.colour)}", left, y, wide, shown))
            if slot in each.estimated:
                blocks.append(_block("est", left, y, wide, shown))
    said = "unknown" if total is None else f"{figure(total)} {chart.unit}"
    return format_html("<g><title>{}: {}</title>{}</g>", chart.labels[slot], said, _joined(blocks))


def _joined(parts: Sequence[SafeString]) -> SafeString:
    return format_html_join("", "{}", ((part,) for part in parts))


def _bar(kind: str, left: Decimal, width: Decimal) -> SafeString:
    return format_html('<rect class="{}" x="{}" width="{}" height="6"/>', kind, f"{left:.2f}", f"{width:.2f}")


def _block(kind: str, left: Decimal, y: Decimal, width: Decimal, height: Decimal) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        kind,
        f"{left:.1f}",
        f"{y:.1f}",
        f"{width:.1f}",
        f"{height:.1f}",
    )
