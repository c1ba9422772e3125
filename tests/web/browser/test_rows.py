"""The modules that place and draw the rows, each by itself on an empty page: where rows stand, what rests, what is painted."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.web.served import Served

MINUTE = 60_000
ROW, HEADING = 28, 26


@pytest.fixture
def page(context: BrowserContext, serve: Callable[..., Served]) -> Page:
    """A page of this origin without the app: modules can be imported, and the colours are there."""
    url = serve(1).url
    page = context.new_page()
    page.goto(f"{url}/assets/chart/geometry.mjs")
    page.add_style_tag(url=f"{url}/assets/tokens.css")
    return page


GEOMETRY = """async (cases) => {
  const { Geometry } = await import("/assets/chart/geometry.mjs");
  return cases.map(({ probes, windows, ...given }) => {
    const rows = new Geometry({ ...given, height: 28, heading: 26 });
    return {
      tops: Array.from({ length: given.count }, (_, index) => rows.top(index)),
      heights: Array.from({ length: given.count }, (_, index) => rows.heightOf(index)),
      total: rows.total,
      hit: probes.map((y) => rows.indexAt(y)),
      shown: windows.map(([from, to]) => rows.between(from, to)),
    };
  });
}"""


def made_up_rows(dice: random.Random) -> dict[str, Any]:
    sizes = [dice.randrange(1, 9) for _ in range(dice.randrange(0, 5))]
    count = sum(sizes) or dice.randrange(1, 30)
    taller = [[index, dice.randrange(1, 200)] for index in dice.sample(range(count), dice.randrange(0, min(4, count)))]
    probes = [dice.randrange(-50, count * 80) for _ in range(12)]
    return {
        "count": count,
        "taller": taller,
        "groups": [[f"g{place}", size] for place, size in enumerate(sizes)] or None,
        "probes": probes,
        "windows": [[y, y + dice.randrange(1, 400)] for y in probes],
    }


def test_rows_stand_where_adding_up_says(page: Page) -> None:
    dice = random.Random(3)
    cases = [made_up_rows(dice) for _ in range(60)]
    for case, found in zip(cases, page.evaluate(GEOMETRY, cases), strict=True):
        firsts, at = set(), 0
        for _, size in case["groups"] or []:
            firsts.add(at)
            at += size
        more = dict(case["taller"])
        y, spans = 0, []
        for index in range(case["count"]):
            begins = y
            y += HEADING if index in firsts else 0
            assert found["tops"][index] == y
            y += ROW + more.get(index, 0)
            assert found["heights"][index] == ROW + more.get(index, 0)
            spans.append((begins, y))
        assert found["total"] == y
        for probe, hit in zip(case["probes"], found["hit"], strict=True):
            inside = [index for index, (begins, ends) in enumerate(spans) if begins <= probe < ends]
            assert hit == (inside[0] if inside else (0 if probe < 0 else case["count"] - 1))
        for (start, end), shown in zip(case["windows"], found["shown"], strict=True):
            seen = [index for index, (begins, ends) in enumerate(spans) if begins < end and ends > start]
            if seen:
                assert (shown["first"], shown["shown"]) == (seen[0], len(seen))


ORDER = """async (steps) => {
  const { Order } = await import("/assets/wall/order.mjs");
  const order = new Order();
  let now = 0;
  return steps.map(({ pin, matched = 0, ...step }) => {
    now += step.later ?? 100;
    if (pin) order.pin(pin);
    if (step.order) {
      const { order: ids, listed = ids.length, pinned = [], groups = null } = step;
      const answer = { matched, listed, pinned, order: ids, groups };
      order.take({ offset: 0, count: 50, hold: step.hold ?? null }, answer, step.locked ?? false, now, "state");
    }
    return { ids: order.ids, groups: order.groups, listed: order.listed, pinned: order.pinned };
  });
}"""


def test_the_order_rests_and_lets_newcomers_in(page: Page) -> None:
    steps = [
        {"order": ["a", "b", "c"]},
        {"order": ["c", "a", "b"]},  # moments later: nothing moves
        {"order": ["new", "c", "a", "b"]},  # a newcomer shows at once, where it belongs
        {
            "order": ["b", "later", "new", "c"],
            "locked": True,
            "later": 60_000,
        },  # under the pointer: at the end; "a" is gone
        {"order": ["b", "later", "new", "c"], "later": 60_000},  # nobody points any more
    ]
    found = page.evaluate(ORDER, steps)
    assert [each["ids"] for each in found] == [
        ["a", "b", "c"],
        ["a", "b", "c"],
        ["new", "a", "b", "c"],
        ["new", "b", "c", "later"],
        ["b", "later", "new", "c"],
    ]


def test_groups_keep_their_rows_until_the_order_may_change(page: Page) -> None:
    steps: list[dict[str, Any]] = [
        {"order": ["a", "b", "c", "d"], "groups": [["WAIT", 2], ["TALK", 2]]},
        # "b" talks now, and somebody new waits and somebody new is idle: "b" stays, the others join their groups.
        {"order": ["a", "n", "c", "d", "b", "i"], "groups": [["WAIT", 2], ["TALK", 3], ["IDLE", 1]], "locked": True},
        {"pin": ["c"]},
        {
            "order": ["a", "n", "d", "b", "i"],
            "groups": [["WAIT", 2], ["TALK", 2], ["IDLE", 1]],
            "pinned": ["c"],
            "later": 60_000,
        },
        {"pin": []},
        {"order": ["a", "n", "c", "d", "b", "i"], "groups": [["WAIT", 2], ["TALK", 3], ["IDLE", 1]], "locked": True},
        # Of many more rows than are here "a" is gone, and what is new is below.
        {"order": ["n", "d"], "hold": ["a", "n", "d"], "listed": 90},
    ]
    found = page.evaluate(ORDER, steps)
    assert found[1]["ids"] == ["a", "b", "n", "c", "d", "i"]
    assert found[1]["groups"] == [["WAIT", 3], ["TALK", 2], ["IDLE", 1]]
    assert (found[2]["ids"], found[2]["pinned"]) == (["a", "b", "n", "d", "i"], ["c"])
    assert found[2]["groups"] == [["WAIT", 3], ["TALK", 1], ["IDLE", 1]]
    assert found[3]["groups"] == [["WAIT", 2], ["TALK", 2], ["IDLE", 1]]
    assert found[5]["ids"] == ["a", "n", "d", "b", "c", "i"]
    assert found[5]["groups"] == [["WAIT", 2], ["TALK", 3], ["IDLE", 1]]
    assert found[6]["listed"] == sum(rows for _, rows in found[6]["groups"]) == 90


LAYOUT = """async (row) => {
  const { layout } = await import("/assets/chart/lanes.mjs");
  const boxes = (laid) => row.interactions.map((one) => laid.boxes.get(one));
  const told = (laid) => ({ height: laid.height, tracks: laid.tracks, boxes: boxes(laid) });
  return [told(layout(row, false)), told(layout(row, true)), told(layout(row, false, 44))];
}"""


def interaction(channel: str, start: int, end: int | None, **more: Any) -> dict[str, Any]:
    """One that talked all the time."""
    segments = more.pop("segments", [{"kind": "interact", "start": start, "end": end}])
    return {
        "id": f"{channel}{start}",
        "channel": channel,
        "state": "CLOSED" if end else "ACTIVE",
        "timedOut": False,
        "start": start,
        "last": end or start,
        "ended": end,
        "disposition": None,
        "queue": None,
        "agent": None,
        "segments": segments,
    } | more


def test_what_overlaps_lies_in_lanes_and_each_channel_has_its_track(page: Page) -> None:
    row = {
        "channels": ["voice", "chat"],
        "interactions": [
            interaction("voice", 0, 10),
            interaction("chat", 5, 25),
            interaction("voice", 8, 30),
            interaction("voice", 10, 12),
        ],
    }
    line, tracks, large = page.evaluate(LAYOUT, row)
    assert line["height"] == ROW
    tops = [box["top"] for box in line["boxes"]]
    assert len(set(tops)) == 3  # three overlap at once, the fourth takes the first lane again
    assert tops[0] == tops[3]
    for box in line["boxes"]:
        assert 0 < box["top"] < box["top"] + box["height"] < ROW
    assert tracks["tracks"] == [
        {"channel": "voice", "top": ROW, "height": 44},
        {"channel": "chat", "top": ROW + 44, "height": 22},
    ]
    assert [box["top"] for box in tracks["boxes"]] == [ROW + 2, ROW + 46, ROW + 24, ROW + 2]
    assert {box["height"] for box in tracks["boxes"]} == {18}
    assert large["height"] == 44


PAINT = """async ({ row, gaps, now, span, expanded }) => {
  const { drawRows, fitCanvas } = await import("/assets/chart/draw.mjs");
  const { layout } = await import("/assets/chart/lanes.mjs");
  const { colours } = await import("/assets/base/palette.mjs");
  const { TimeScale } = await import("/assets/base/scale.mjs");
  const canvas = document.createElement("canvas");
  const laid = layout(row, expanded);
  const scale = new TimeScale(now - span, now + span / 10, 1100);
  const pen = fitCanvas(canvas, 1100, laid.height);
  const { height } = laid;
  drawRows(pen, scale, [{ row, y: 0, height, laid, index: 0, pinned: false }], { height, pinnedTo: 0, now, gaps });
  const { data } = pen.getImageData(0, 0, 1100, laid.height);
  const { channels, text, surface, gap } = colours();
  return { data: Array.from(data), channels, text, surface, gap, boxes: row.interactions.map((one) => laid.boxes.get(one)) };
}"""


class Painting:
    """What was painted: 1,100 pixels wide, a second a pixel, the present at 1,000."""

    def __init__(
        self, page: Page, row: dict[str, Any], *, gaps: list[Any] | None = None, expanded: bool = False
    ) -> None:
        now = 1_700_000_000_000
        moved = {
            **row,
            "interactions": [
                one
                | {name: None if one[name] is None else now + one[name] for name in ("start", "last", "ended")}
                | {
                    "segments": [
                        {
                            **each,
                            "start": now + each["start"],
                            "end": None if each["end"] is None else now + each["end"],
                        }
                        for each in one["segments"]
                    ]
                }
                for one in row["interactions"]
            ],
            "transfers": [{**each, "at": now + each["at"]} for each in row.get("transfers", [])],
            "start": now + min(one["start"] for one in row["interactions"]),
            "last": now + max(one["last"] for one in row["interactions"]),
        }
        shifted = [{**gap, "start": now + gap["start"], "end": now + gap["end"]} for gap in gaps or []]
        given = {"row": moved, "gaps": shifted, "now": now, "span": 1_000_000, "expanded": expanded}
        painted = page.evaluate(PAINT, given)
        self.data = painted["data"]
        self.boxes = painted["boxes"]
        self.text, self.surface, self.gap = (rgb(painted[name]) for name in ("text", "surface", "gap"))
        self.solid, self.tint = rgb(painted["channels"]["voice"]["solid"]), rgb(painted["channels"]["voice"]["tint"])

    def at(self, x: int, y: int) -> tuple[int, int, int, int]:
        place = 4 * (y * 1100 + x)
        return tuple(self.data[place : place + 4])

    def inked(self, left: int, right: int, y: int) -> bool:
        """Whether something is drawn there in the text's colour, edges softened."""
        return any(
            sum(abs(one - other) for one, other in zip(each, self.text, strict=True)) < 180
            for each in self.colours(left, right, y)
        )

    def colours(self, left: int, right: int, y: int) -> set[tuple[int, ...]]:
        return {self.at(x, y)[:3] for x in range(left, right) if self.at(x, y)[3] == 255}


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def story(*interactions: dict[str, Any], **more: Any) -> dict[str, Any]:
    channels = list(dict.fromkeys(one["channel"] for one in interactions))
    base = {"id": "j-1", "tag": 1, "customer": "c", "state": "ACTIVE", "events": 3, "count": len(interactions)}
    return {**base, "channels": channels, "interactions": list(interactions), "transfers": [], **more}


def seconds(kind: str, start: int, end: int | None) -> dict[str, Any]:
    return {"kind": kind, "start": start * 1000, "end": None if end is None else end * 1000}


def test_fill_is_the_kind_and_the_shortest_bar_is_seen(page: Page) -> None:
    segments = [
        seconds("wait", -900, -800),
        seconds("interact", -800, -700),
        seconds("transfer", -700, -600),
        seconds("wrapup", -600, -500),
        {"kind": "interact", "start": -100_000, "end": -99_999},
    ]
    seen = Painting(page, story(interaction("voice", -900_000, -99_999, segments=segments)))
    middle = 9  # above icon and words
    assert seen.colours(140, 195, middle) == {seen.tint}
    assert seen.colours(210, 295, middle) == {seen.solid}
    assert {seen.solid, seen.tint} <= seen.colours(330, 395, middle)  # hatched
    assert seen.colours(440, 495, middle) == {seen.surface}
    assert seen.at(450, 5)[:3] == seen.solid  # outlined
    width = sum(seen.at(x, middle)[3] > 200 for x in range(890, 915))
    assert 3 <= width <= 4


def test_what_only_a_platform_tells_has_lines_or_a_name(page: Page) -> None:
    segments = [
        seconds("ivr", -900, -800),
        seconds("queue", -800, -700),
        seconds("alert", -700, -600),
        seconds("hold", -600, -500),
    ]
    seen = Painting(page, story(interaction("voice", -900_000, -500_000, segments=segments)))
    middle = 9  # above icon and words
    assert seen.colours(140, 195, middle) == seen.colours(210, 295, middle) == {seen.tint}
    assert seen.inked(110, 190, 14)  # IVR and how long
    assert {seen.solid, seen.tint} <= seen.colours(340, 390, middle)
    assert all(seen.at(x, 7)[:3] == seen.at(x, 19)[:3] for x in range(340, 390))  # the lines stand
    assert all(len(seen.colours(440, 490, y)) == 1 for y in range(7, 20))  # they lie
    assert {seen.at(450, y)[:3] for y in range(7, 20)} >= {seen.solid, seen.tint}


def test_what_is_open_fades_at_the_present_and_what_is_idle_since_its_last_event(page: Page) -> None:
    open_one = Painting(page, story(interaction("voice", -300_000, None)))
    fade = [open_one.at(x, 9)[3] for x in range(960, 998)]
    assert fade[0] == 255
    assert fade == sorted(fade, reverse=True)
    assert fade[-1] < 90
    idle = interaction("voice", -600_000, None, state="IDLE", last=-300_000)
    idle["segments"] = [seconds("interact", -600, None)]
    faint = Painting(page, story(idle))
    assert faint.at(500, 9)[3] == 255
    assert 40 < faint.at(850, 9)[3] < 130
    assert any(faint.at(x, 5)[3] > 200 for x in range(800, 810))  # its edge is as strong as ever


def test_time_outs_outcomes_transfers_and_gaps_are_marked(page: Page) -> None:
    timed_out = interaction("voice", -800_000, -600_000, timedOut=True)
    noted = interaction("voice", -500_000, -400_000, disposition="resolved")
    plain = interaction("voice", -300_000, -200_000)
    seen = Painting(
        page, story(timed_out, noted, plain), gaps=[{"start": -150_000, "end": -50_000, "kind": "disconnected"}]
    )
    assert seen.inked(402, 414, 14)  # a clock behind the end
    assert seen.inked(594, 607, 14)  # a diamond on it
    assert not seen.inked(794, 814, 14)
    shades = {seen.at(x, 14)[3] for x in range(852, 948)}
    assert len(shades) > 2  # hatched
    handed = story(
        interaction("voice", -800_000, -500_000),
        interaction("voice", -450_000, -100_000),
        interaction("voice", -460_000, -300_000),
        transfers=[{"at": -500_000, "from": 0, "to": 1}],
    )
    arrow = Painting(page, handed, expanded=True)
    source, target = arrow.boxes[0], arrow.boxes[1]
    y = round(target["top"] + target["height"] / 2)
    assert arrow.inked(510, 540, y)
    assert arrow.inked(545, 552, y)  # its tip touches the bar that took over
    assert source["height"] == 18


def test_what_can_be_hit_is_wider_than_a_short_bar(page: Page) -> None:
    hit = page.evaluate(
        """async () => {
          const { hitSegment } = await import("/assets/chart/hit.mjs");
          const { layout } = await import("/assets/chart/lanes.mjs");
          const { TimeScale } = await import("/assets/base/scale.mjs");
          const segment = (start, end) => ({ kind: "wait", start, end });
          const one = { channel: "voice", start: 500, ended: 501, segments: [segment(500, 501)] };
          const long = { channel: "voice", start: 700, ended: 900, segments: [segment(700, 900)] };
          const row = { channels: ["voice"], interactions: [one, long] };
          const scale = new TimeScale(0, 1000, 1000);
          const at = (x) => hitSegment(row, layout(row, false), x, 14, scale, 2000)?.interaction;
          return [at(491) === one, at(512) === one, at(489), at(514), at(697) === long, at(690)];
        }"""
    )
    assert hit == [True, True, None, None, True, None]
