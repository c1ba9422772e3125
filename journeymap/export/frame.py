"""What stands around the rows of a chart as SVG: head with title and legend, axes, gaps, grid and the now-line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from journeymap.export.bars import LINES, Bars, definitions, hatch, lines, with_faded
from journeymap.export.caption import Look, Subject
from journeymap.export.palette import tokens
from journeymap.export.svg import escaped, number, path, rect, write
from journeymap.export.typeface import FAMILY, SIZE, SIZES, WEIGHTS, fitted, text_width
from journeymap.model.journey import Kind
from journeymap.model.status import Gap
from journeymap.model.time import HOUR, Millis
from journeymap.view.folding import FoldedScale, folded_scale, folded_ticks
from journeymap.view.labels import folded_tick_label, short_day, tick_label, zone_offset
from journeymap.view.looks import CHANNEL_LOOKS, KIND_LOOKS, USUAL_KINDS, channel_token
from journeymap.view.operations import PARTIAL
from journeymap.view.rows import DrawnRow
from journeymap.view.scale import Ticks, TimeScale, ticks

MARGIN: Final = 20.0
AXIS: Final = 30.0
LINE: Final = 19.0
LEGEND: Final = 30.0
TITLE: Final = 46.0
DAY_LINE: Final = 13.0
"""Of an axis on which days go by: a second line of words."""

TOOTH: Final = 4
"""Of the torn edges of a break."""


class Frame:
    """The frame of a chart of `rows`, which are `rows_height` pixels high together and have heads `head` pixels wide."""

    def __init__(self, look: Look, subject: Subject, head: float, rows_height: float, rows: Sequence[DrawnRow]) -> None:
        self.look = look
        self.subject = subject
        self.palette: Mapping[str, str] = with_faded(tokens(look.theme))
        self.left = MARGIN + head
        self.head = head
        self.rows_height = rows_height
        width = look.width - MARGIN - self.left
        offset = zone_offset(subject.start, look.zone)
        self.scale: TimeScale | FoldedScale
        self._ticks: Ticks
        if subject.folds:
            self.scale = folded_scale(subject.start, subject.end, width, subject.folds)
            self._ticks = folded_ticks(self.scale, 0, width, offset=offset)
        else:
            self.scale = TimeScale(subject.start, subject.end, width)
            self._ticks = ticks(subject.start, subject.end, width, offset)
        self.bars = Bars(self.scale, subject.now, self.palette)
        drawn = [kind for row in rows for one in row.interactions for kind, _, _ in one.bars]
        self.kinds = {*USUAL_KINDS, *drawn}
        self._legend = list(self._placed_legend({channel_token(channel) for row in rows for channel in row.channels}))
        lines = self._legend[-1][1] if self._legend else 0
        self.axis = AXIS + (DAY_LINE if subject.folds else 0)
        self.top = TITLE + LINE * len(subject.notes) + LEGEND + LINE * lines + self.axis

    @property
    def height(self) -> float:
        """Of the whole chart."""
        return self.top + self.rows_height + self.axis + MARGIN

    def begin(self, below: float = 0) -> Iterator[str]:
        """All that stands above and beneath the rows; `below` are pixels kept free under the lower axis."""
        width, height = number(self.look.width), number(self.height + below)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        title = escaped(self.subject.title)
        yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{title}">\n'
        yield f"<title>{title}</title>\n<desc>{escaped(' '.join(self.subject.notes))}</desc>\n"
        yield self._style()
        yield "<defs>" + "".join(definitions(self.palette, self.kinds)) + "".join(self._gap_patterns()) + "</defs>\n"
        yield rect(0, 0, self.look.width, self.height + below, self.palette["surface"]) + "\n"
        yield from self._head()
        middle = TITLE + LINE * len(self.subject.notes) + LEGEND / 2
        for x, line, wide, mark, text in self._legend:
            place = f"{number(x)} {number(middle + LINE * line)}"
            yield f'<g transform="translate({place})">{mark}{write(wide + 6, 4, text, "s")}</g>\n'

    def beneath(self) -> Iterator[str]:
        """Gaps and grid, to be drawn above the rows' stripes and below their bars."""
        height = self.rows_height
        yield f'<g class="grid" transform="translate({number(self.left)} {number(self.top)})">'
        for gap in self._gaps():
            left, right = self._edges(gap)
            name = "gap-some" if gap.kind == PARTIAL else "gap-all"
            yield rect(left, 0, right - left, height, self.palette["gap-ground"], ' fill-opacity="0.45"')
            yield rect(left, 0, right - left, height, f"url(#{name})", ' fill-opacity="0.2"')
            for edge in (left,) if gap.end is None else (left, right - 1):
                yield rect(edge, 0, 1, height, self.palette["gap"], ' fill-opacity="0.2"')
        for time in self._ticks.times:
            yield rect(round(self.scale.x(time)), 0, 1, height, self.palette["line"])
        yield from self._breaks()
        yield "</g>\n"

    def end(self) -> Iterator[str]:
        """The axes, the lines between the parts, and the now-line over all bars."""
        line = self.palette["line"]
        bottom = self.top + self.rows_height
        yield from self._axis(self.top - self.axis, 14, self.axis - 8)
        yield from self._axis(bottom, 22, 0)
        yield from self._break_labels()
        for y in (self.top - self.axis, self.top - 1, bottom):
            yield rect(MARGIN, y, self.look.width - 2 * MARGIN, 1, line)
        yield rect(self.left - 1, self.top - self.axis, 1, self.rows_height + self.axis, line)
        x = self.scale.x(self.subject.now)
        if 0 <= x <= self.scale.width:
            yield rect(round(self.left + x) - 1, self.top - 8, 2, self.rows_height + 16, self.palette["now"])

    def _style(self) -> str:
        palette = self.palette
        family = escaped(f"{FAMILY}, {palette['font']}").replace("&quot;", "'")
        rules = (
            f"text{{font-family:{family};font-size:{SIZE}px;fill:{palette['text']};font-variant-numeric:tabular-nums}}"
            + "".join(f".{name}{{font-size:{number(size)}px}}" for name, size in SIZES.items())
            + "".join(f".{name}{{font-weight:{weight}}}" for name, weight in WEIGHTS.items())
            + f".m{{fill:{palette['muted']}}}.ink{{fill:{palette['on-channel']}}}.now{{fill:{palette['now']}}}"
            ".mid{text-anchor:middle}.end{text-anchor:end}"
        )
        return f"<style>{rules}</style>\n"

    def _head(self) -> Iterator[str]:
        room = self.look.width - 2 * MARGIN
        yield write(MARGIN, 38, fitted(self.subject.title, room, 20, 500), "title") + "\n"
        for place, note in enumerate(self.subject.notes):
            yield write(MARGIN, TITLE + LINE * place + 14, fitted(note, room, 12.5), "m") + "\n"

    def _placed_legend(self, channels: Collection[str]) -> Iterator[tuple[float, int, float, str, str]]:
        """Left edge, line, width of the mark, the mark and the words of each entry."""
        x, line = MARGIN, 0
        for width, mark, text in self._legend_entries(channels):
            after = x + width + 6 + text_width(text, 11)
            if after > self.look.width - MARGIN:
                after, x, line = MARGIN + after - x, MARGIN, line + 1
            yield x, line, width, mark, text
            x = after + 16

    def _legend_entries(self, channels: Collection[str]) -> Iterator[tuple[float, str, str]]:
        palette = self.palette
        for look in CHANNEL_LOOKS.values():
            token = channel_token(look.name)
            if token in channels:
                yield 12, rect(0, -6, 12, 12, palette[token], ' rx="2"'), look.label
        grey, tint = palette["muted-fill"], palette["muted-fill-tint"]
        fills = {
            Kind.WAIT: tint,
            Kind.INTERACT: grey,
            Kind.TRANSFER: "url(#hatch-muted)",
            Kind.WRAPUP: palette["surface"],
        }
        fills |= {kind: tint for kind in (Kind.IVR, Kind.QUEUE) if kind in self.kinds}
        fills |= {kind: f"url(#{LINES[kind]}-muted)" for kind in (Kind.ALERT, Kind.HOLD) if kind in self.kinds}
        for kind, fill in fills.items():
            line = ' stroke-width="1.5"' if kind is Kind.WRAPUP else ""
            yield 24, rect(0.5, -5.5, 23, 11, fill, f' stroke="{grey}"{line} rx="2"'), KIND_LOOKS[kind].label
        text = palette["text"]
        arrow = path("M0 0H11", more=f' stroke="{text}" stroke-width="1.5"') + path("M16 0l-6 -4.5v9z", text)
        yield 16, arrow, "handed over"
        yield 9, path("M4.5 -4.5l4.5 4.5l-4.5 4.5l-4.5 -4.5z", palette["surface"], f' stroke="{text}"'), "outcome"
        yield 10, "".join(rect(step, -0.75, 2, 1.5, palette["muted"]) for step in (0, 4, 8)), "timed out"
        if any(True for _ in self._gaps()):
            more = f' stroke="{palette["gap"]}"'
            yield 24, rect(0.5, -5.5, 23, 11, "url(#gap-all-strong)", more), "events may be missing"

    def _axis(self, top: float, label: float, mark: float) -> Iterator[str]:
        """An axis; labels and marks stand so many pixels below its top."""
        yield f'<g transform="translate({number(self.left)} {number(top)})">'
        palette, width = self.palette, self.scale.width
        for time in self._ticks.times:
            yield rect(round(self.scale.x(time)), mark, 1, 8, palette["line-strong"])
        for gap in self._gaps():
            left, right = self._edges(gap)
            name = "gap-some-strong" if gap.kind == PARTIAL else "gap-all-strong"
            yield rect(left, mark, right - left, 8, f"url(#{name})")
            yield rect(left, mark + (7 if mark == 0 else -1), right - left, 1, palette["gap"])
        now = self.scale.x(self.subject.now)
        shown = 0 <= now <= width
        day = ""
        for time in self._ticks.times:
            x = self.scale.x(time)
            if 22 < x < width - 22 and not (shown and abs(x - now) < 42):
                text, today = self._tick_label(time), short_day(time, self.look.zone)
                yield write(x, label + 4, text, "s m mid")
                if self.subject.folds and today not in {day, text}:
                    yield write(x, label + 4 + DAY_LINE, today, "s m mid")
                day = today
        if shown:
            yield write(min(max(now, 12), width - 12), label + 4, "now", "s bb now mid")
        elif self.subject.end < self.subject.now - 20 * HOUR and not self.subject.folds:
            yield write(4, label + 4, short_day(self.subject.start, self.look.zone), "s m")
        yield "</g>\n"

    def _tick_label(self, time: Millis) -> str:
        named = folded_tick_label if self.subject.folds else tick_label
        return named(time, self._ticks.step, self.look.zone)

    def _breaks(self) -> Iterator[str]:
        """The ground of folded stretches between two torn edges; a bar that goes on through one is drawn over it."""
        teeth = max(2, round(self.rows_height / (2 * TOOTH)))
        step = self.rows_height / teeth
        torn = "".join(f"L{TOOTH if tooth % 2 else 0} {number(tooth * step)}" for tooth in range(1, teeth + 1))
        for left, right, _ in self._folds():
            yield rect(left, 0, right - left, self.rows_height, self.palette["ground"])
            for x in (left, right):
                line = f' stroke="{self.palette["control"]}" stroke-width="1.25"'
                yield f'<g transform="translate({number(x)} 0)">{path(f"M0 0{torn}", more=line)}</g>'

    def _break_labels(self) -> Iterator[str]:
        """How long the folded stretches are, over the bars: lying where there is room, otherwise standing."""
        yield f'<g class="breaks" transform="translate({number(self.left)} {number(self.top)})">'
        for left, right, words in self._folds():
            width = text_width(words, 11, 500)
            place = f"translate({number((left + right) / 2 + TOOTH / 2)} {number(self.rows_height / 2)})"
            turned = "" if width + 6 <= right - left else " rotate(-90)"
            ground = rect(-width / 2 - 3, -8, width + 6, 16, self.palette["ground"], ' rx="3"')
            yield f'<g transform="{place}{turned}">{ground}{write(0, 4, words, "s b m mid")}</g>'
        yield "</g>\n"

    def _folds(self) -> Iterator[tuple[float, float, str]]:
        """Left and right edge of each break, and the true length of what is folded."""
        if isinstance(self.scale, FoldedScale):
            for fold in self.scale.folds:
                yield self.scale.x(fold.start), self.scale.x(fold.end), fold.label

    def _gaps(self) -> Iterator[Gap]:
        for gap in self.subject.gaps:
            if gap.start < self.subject.end and self._gap_end(gap) > self.subject.start:
                yield gap

    def _gap_end(self, gap: Gap) -> Millis:
        return max(self.subject.now, gap.start) if gap.end is None else gap.end

    def _edges(self, gap: Gap) -> tuple[float, float]:
        left = round(self.scale.x(gap.start))
        right = max(round(self.scale.x(self._gap_end(gap))), left + 3)
        return max(left, 0), min(right, self.scale.width)

    def _gap_patterns(self) -> Iterator[str]:
        palette = self.palette
        yield from lines("muted", palette["muted-fill"], palette["muted-fill-tint"], self.kinds)
        for name, size in (("all", 8), ("some", 16)):
            yield hatch(f"gap-{name}", palette["gap"], "", size=size, line=1.8, falling=True)
            yield hatch(f"gap-{name}-strong", palette["gap"], palette["gap-ground"], size=size, line=1.8, falling=True)
