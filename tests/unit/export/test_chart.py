"""The chart as SVG: what is in it, where, and that nothing from outside breaks out of its place."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import msgspec
import pytest

from journeymap.export.bars import with_faded
from journeymap.export.caption import Look
from journeymap.export.palette import tokens
from journeymap.export.selection import Selection
from journeymap.export.stack import Heading, Placed, stacks
from journeymap.export.svg import escaped
from journeymap.model.status import Gap
from journeymap.model.time import DAY, MINUTE, SECOND
from journeymap.stitch.definition import journeys
from journeymap.stitch.options import StitchOptions, Timeouts
from journeymap.stitch.reading import ClockReading
from journeymap.testing import event
from journeymap.view.filters import make_filter
from journeymap.view.masking import Viewer
from journeymap.view.rows import drawn_row, whole_row
from journeymap.view.sorting import Grouping
from tests.unit.export.sample import NOW, PHONE, START, exported, journey, of_journeys, of_rows, reading, row

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><rect onload='x'/>",
    "]]>&amp;&#0;",
    "a\x00b\x1bc\nd\ud800\ufffe",
    "\u202egnp.exe\u2066",
    "שלום مرحبا",
    "x" * 5000,
)


def parsed(svg: bytes) -> ET.Element:
    return ET.fromstring(svg)


def texts(root: ET.Element) -> list[str]:
    return [each.text or "" for each in root.iter(f"{SVG}text")]


def groups(root: ET.Element) -> list[ET.Element]:
    return [each for each in root.iter(f"{SVG}g") if each.get("class") == "row" and list(each.iter(f"{SVG}text"))]


def test_every_row_is_there_with_its_head_and_its_bars() -> None:
    root = parsed(exported("svg", of_rows([row(number) for number in range(120)])))
    rows = groups(root)
    assert len(rows) == 120
    first = [each.text for each in rows[0].iter(f"{SVG}text")]
    assert "cust-0" in first
    assert "Active" in first
    tops = [float(re.findall(r"[\d.]+", each.get("transform", ""))[1]) for each in rows]
    assert {round(low - high) for high, low in itertools.pairwise(tops)} == {28}
    assert float(root.get("height", "0")) > tops[-1] + 28


def test_bars_stand_where_the_scale_puts_them() -> None:
    wanted = make_filter(start=START, end=START + 20 * MINUTE)
    root = parsed(exported("svg", of_rows([row(0)], wanted=wanted)))
    width = 1440 - 20 - 20 - 276
    palette = tokens("light")
    bars = [each for each in groups(root)[0].iter(f"{SVG}rect") if float(each.get("height", "0")) in {9, 10}]
    wait, talk, wrapup = bars[:3]
    assert wait.get("fill") == palette["channel-voice-tint"]
    assert talk.get("fill") == palette["channel-voice"]
    assert wrapup.get("fill") == palette["surface"]
    assert wrapup.get("stroke") == palette["channel-voice"]
    assert float(talk.get("x", "")) == pytest.approx(width * 1 / 20, abs=0.01)
    assert float(talk.get("width", "")) == pytest.approx(width * 3 / 20, abs=0.01)
    assert float(wait.get("width", "")) == pytest.approx(width * 1 / 20 - 1, abs=0.01), "its line is drawn half outside"
    open_bar = [each for each in groups(root)[0].iter(f"{SVG}path") if each.get("fill") == palette["channel-chat"]]
    assert len(open_bar) == 1, "an open bar has no line at its end"


def test_the_head_says_what_the_chart_is_of() -> None:
    wanted = make_filter(
        text="ana",
        customer="cust",
        choices={"channels": ["voice"], "states": ["ACTIVE"], "queues": ["Billing"]},
        min_transfers=1,
        start=START,
        end=NOW + MINUTE,
    )
    look = Look(zone=ZoneInfo("Europe/Berlin"), zone_name="Europe/Berlin", title="Tuesday's incident")
    gaps = [Gap("a", "disconnected", START + MINUTE, START + 2 * MINUTE)]
    shown = texts(parsed(exported("svg", of_rows([row(0)], wanted=wanted, look=look, gaps=gaps))))
    assert shown[0] == "Tuesday's incident"
    assert "23:13:20 – 23:44:20 (31 min), times in Europe/Berlin; as of 14 Nov 2023, 23:43:20" in shown[1]
    assert (
        shown[2]
        == "Filters: “ana”; customer contains “cust”; channel Voice; state Active; queue billing; at least 1 transfer"
    )
    assert {
        "Voice",
        "Waiting",
        "Talking",
        "Transfer",
        "Wrap-up",
        "handed over",
        "outcome",
        "events may be missing",
    } <= set(shown)
    assert shown.count("23:20") == 2, "an axis above and one below"
    assert shown.count("now") == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_the_page_s(theme: Any) -> None:
    svg = exported("svg", of_rows([row(number) for number in range(6)], look=Look(theme))).decode()
    palette = tokens(theme)
    known = {value for value in with_faded(palette).values() if value.startswith("#")}
    used = set(re.findall(r"#[0-9a-f]{6}\b", svg))
    assert used <= known
    assert {palette["surface"], palette["channel-voice"], palette["channel-other"], palette["now"]} <= used


def test_labels_stand_where_they_fit() -> None:
    alone = msgspec.structs.replace(row(0), interactions=row(0).interactions[:1], transfers=())
    near = make_filter(start=START, end=START + 6 * MINUTE)
    assert {"Billing", "Ana Silva"} <= set(texts(parsed(exported("svg", of_rows([alone], wanted=near)))))
    far = make_filter(start=START, end=START + 6000 * MINUTE)
    assert not {"Billing", "Ana Silva"} & set(texts(parsed(exported("svg", of_rows([alone], wanted=far)))))


def test_the_themes_differ_and_sizes_do_not() -> None:
    assert tokens("light")["surface"] != tokens("dark")["surface"]
    assert tokens("light")["size"] == tokens("dark")["size"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    hostile = row(0, name, queue=name, agent=name, disposition=name)
    for form in ("svg", "html"):
        text = exported(form, of_rows([hostile], look=Look(title=name[:200]))).decode()
        assert "<script" not in text
        assert "onload='" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)
    root = parsed(exported("svg", of_rows([hostile], look=Look(title=name[:200]))))
    assert len(groups(root)) == 1
    assert max(map(len, texts(root))) < 250


def test_a_name_that_is_short_enough_is_shown_letter_for_letter() -> None:
    name = "<b>&\"'"
    assert name in texts(parsed(exported("svg", of_rows([row(0, name)]))))
    assert escaped(name) == "&lt;b&gt;&amp;&quot;&#39;"


def test_identifiers_are_masked_as_the_viewer_sees_them() -> None:
    known = row(0, PHONE, agent="ana@example.com", queue="line 030 1234567", disposition="call ana@example.com")
    masked = exported(
        "svg", of_rows([known], viewer=Viewer(False), wanted=make_filter(text=PHONE, customer=PHONE))
    ).decode()
    for secret in (PHONE, "15112345678", "ana@example.com", "1234567"):
        assert secret not in masked
    assert "•••78" in masked
    assert PHONE in exported("svg", of_rows([known], viewer=Viewer(True))).decode()


def test_nothing_is_said_in_a_chart_of_nothing() -> None:
    assert "No journey matches." in texts(parsed(exported("svg", of_rows([]))))


def test_rows_beyond_the_limit_are_left_out_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("journeymap.export.formats.CHART_ROWS", 10)
    shown = texts(parsed(exported("svg", of_rows([row(number) for number in range(11)]))))
    assert any("Cut to the first 10 rows; more match" in text for text in shown)


def arranged(count: int, by: str, names: Sequence[str], sizes: Sequence[tuple[str, int]], **about: Any) -> Selection:
    """`count` rows, the first of them pinned, the others in groups of these names, the last ones in the last."""
    rows = [row(number, queue=about.pop("queue", "Billing")) for number in range(count)]
    of = {each.journey_id: names[min(place, len(names) - 1)] for place, each in enumerate(rows[1:])}
    return of_rows(rows, pinned={rows[0].journey_id}, groups=Grouping(by, sizes, of), **about)


def test_groups_have_headings_and_pinned_rows_stand_above_them() -> None:
    sizes = [("INITIATED", 1), ("ACTIVE", 1_234)]
    root = parsed(exported("svg", arranged(4, "state", ["INITIATED", "ACTIVE"], sizes)))

    def top(part: ET.Element) -> float:
        return float(re.findall(r"[\d.]+", part.get("transform", ""))[1])

    headings = [each for each in root.iter(f"{SVG}g") if each.get("class") == "heading"]
    assert [texts(each) for each in headings] == [["Waiting", "1"], ["Active", "1,234"]]
    dots = [next(each.iter(f"{SVG}circle")).get("fill") for each in headings]
    assert dots == [tokens("light")["state-initiated"], tokens("light")["state-active"]]
    tops = [top(each) for each in groups(root)]
    first = tops[0]
    assert [each - first for each in tops] == [0, 28 + 26, 2 * 28 + 2 * 26, 3 * 28 + 2 * 26]
    assert [top(each) - first for each in headings] == [28, 2 * 28 + 26]
    edges = [each for each in root.iter(f"{SVG}rect") if each.get("fill") == tokens("light")["line-strong"]]
    assert [float(each.get("y", "")) for each in edges if each.get("width") == "1400"] == [first + 27]
    assert float(root.get("height", "0")) == tops[-1] + 28 + 50
    assert any(text == "No filters. Grouped by state. 1 pinned on top, whatever the filters" for text in texts(root)), (
        "it is said in its head"
    )


def test_a_groups_name_is_masked_and_one_without_a_name_has_words() -> None:
    hidden = f"line {PHONE}"
    selection = arranged(3, "queue", [hidden, ""], [(hidden, 1), ("", 1)], viewer=Viewer(False), queue=hidden)
    text = exported("svg", selection).decode()
    assert "15112345678" not in text
    headings = [texts(each) for each in parsed(text.encode()).iter(f"{SVG}g") if each.get("class") == "heading"]
    assert headings == [["line •••78", "1"], ["No queue", "1"]]


def test_a_group_goes_on_under_its_heading_on_the_next_page() -> None:
    def placed(number: int, heading: Heading | None, pinned: bool = False) -> Placed:
        return Placed(drawn_row(row(number), reading()), heading, pinned)

    first, second = Heading("Billing", 2), Heading("Support", 3)
    rows = [placed(0, None, True), *(placed(number, first if number < 3 else second) for number in range(1, 6))]
    pages = stacks(rows, 28 * 3 + 26)
    assert [len(page.rows) for page in pages] == [3, 3]
    assert [[(top, heading.name, goes_on) for top, heading, goes_on in page.headings.values()] for page in pages] == [
        [(28, "Billing", False)],
        [(0, "Support", False)],
    ]
    assert (pages[0].pinned_to, pages[1].pinned_to) == (28, 0)
    pages = stacks(rows, 28 * 2 + 26)
    assert [[(top, goes_on) for top, _, goes_on in page.headings.values()] for page in pages] == [
        [(28, False)],
        [(0, True)],
        [(0, False)],
        [(0, True)],
    ]
    assert [len(page.rows) for page in pages] == [2, 1, 2, 1]
    assert all(page.height <= 28 * 2 + 26 for page in pages)
    assert [len(page.rows) for page in stacks([], 100)] == [0]


def test_a_journey_has_a_track_a_channel_and_a_list_of_its_interactions() -> None:
    selection = of_journeys(journey(agentName="Ana Silva", queueName="Billing"), one=True)
    shown = texts(parsed(exported("svg", selection)))
    assert shown[0] == "Journey of cust-1"
    assert [shown.count(name) for name in ("Voice", "Chat")] == [3, 3], "legend, track and list"
    assert "call" in shown
    assert "chat" in shown


def of_days(**look: Any) -> ET.Element:
    """A journey with a call, an e-mail a day later and a chat, five minutes each; as of a week after its start."""
    events = []
    for number, (channel, at) in enumerate((("voice", 0), ("email", DAY), ("chat", 3 * DAY))):
        about: dict[str, Any] = {"customerId": "cust-1", "channelType": channel}
        for place, kind in enumerate(("interaction.created", "conversation.started", "conversation.ended")):
            after = at + (0, MINUTE, 5 * MINUTE)[place]
            events.append(event(kind, START + after, channel, event_id=f"{number}{place}", **about))
    (whole,) = journeys(events, StitchOptions(engagement_window=9 * DAY))
    as_of = ClockReading(START + 7 * DAY, Timeouts())
    about = {"look": Look(**look), "one": True}
    return parsed(exported("svg", Selection(iter([whole_row(whole)]), {whole.journey_id: whole}.get, as_of, **about)))


def test_idle_stretches_of_a_journey_are_folded_as_on_its_page() -> None:
    folded, plain = of_days(), of_days(fold=False)
    breaks = [each for each in folded.iter(f"{SVG}g") if each.get("class") == "breaks"]
    assert texts(breaks[0]) == ["23 h 55 min", "1 d 23 h"]
    assert any("2 idle stretches folded" in text for text in texts(folded))
    assert {"14 Nov", "15 Nov", "17 Nov"} <= set(texts(folded)), "each piece says its day"
    assert not texts(next(each for each in plain.iter(f"{SVG}g") if each.get("class") == "breaks"))
    assert not any("folded" in text for text in texts(plain))
    talk = tokens("light")["channel-voice"]

    def widest(root: ET.Element) -> float:
        return max(float(each.get("width", "0")) for each in root.iter(f"{SVG}rect") if each.get("fill") == talk)

    assert widest(folded) > 200
    assert widest(plain) <= 20, "the badge in front of its track"


def test_lanes_and_since_are_those_of_the_page() -> None:
    drawn = drawn_row(row(0), reading())
    assert [one.lane for one in drawn.interactions] == [0, 1]
    assert drawn.lanes == 2
    assert drawn.since == START + 4 * MINUTE + 30 * SECOND
    closed = drawn_row(row(0), ClockReading(NOW + 60 * MINUTE, reading().timeouts))
    assert closed.state == "CLOSED"
    assert closed.interactions[1].timed_out
    assert closed.interactions[1].end == NOW - MINUTE
    assert closed.since == NOW + 29 * MINUTE, "when the time-out fell due"


def test_a_journey_outside_the_window_leaves_a_hint() -> None:
    wanted = make_filter(start=START + 25 * MINUTE, end=START + 40 * MINUTE)
    ended = msgspec.structs.replace(
        row(0), interactions=row(0).interactions[:1], transfers=(), last_event_at=START + 5 * MINUTE
    )
    root = parsed(exported("svg", of_rows([ended], wanted=wanted)))
    assert [each for each in groups(root)[0].iter(f"{SVG}path") if each.get("fill") == tokens("light")["channel-voice"]]


def test_a_legend_that_is_too_long_for_a_line_goes_on_in_the_next() -> None:
    gaps = [Gap("a", "disconnected", START + MINUTE, START + 2 * MINUTE)]
    heights = []
    for width in (2000, 700):
        root = parsed(exported("svg", of_rows([row(number) for number in range(6)], look=Look(width=width), gaps=gaps)))
        assert {"Voice", "Other", "Transfer", "timed out", "events may be missing"} <= set(texts(root))
        heights.append(float(root.get("height", "0")))
    assert heights[1] == heights[0] + 19


def test_the_kinds_that_only_a_platform_tells_are_drawn_and_explained() -> None:
    (plain,) = row(0).interactions[:1]
    kinds = ("wait", "ivr", "queue", "alert", "interact", "hold")
    told = msgspec.structs.replace(
        plain,
        state="ACTIVE",
        ended_at=None,
        last_event_at=NOW,
        segments=tuple(
            (kind, START + place * 4 * MINUTE, START + (place + 1) * 4 * MINUTE if place < 5 else None)
            for place, kind in enumerate(kinds)
        ),
    )
    drawn = msgspec.structs.replace(row(0), interactions=(told,), transfers=())
    root = parsed(exported("svg", of_rows([drawn])))
    fills = [each.get("fill") for each in groups(root)[0].iter() if each.get("fill")]
    tint = tokens("light")["channel-voice-tint"]
    assert fills.count(tint) == 3
    assert {"url(#upright-channel-voice)", "url(#lying-channel-voice)", "url(#fade-channel-voice-hold)"} <= set(fills)
    defined = {each.get("id") for each in root.iter() if each.get("id")}
    assert {each[5:-1] for each in fills if each.startswith("url(")} <= defined
    assert {"IVR", "In queue", "Ringing", "On hold"} <= set(texts(root))
    assert texts(root).count("IVR") == 2, "on the bar and in the legend"
    assert not {"IVR", "In queue", "Ringing", "On hold"} & set(texts(parsed(exported("svg", of_rows([row(0)])))))
