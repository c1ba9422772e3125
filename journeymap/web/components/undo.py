"""The button that undoes a join of the journey page, and what it says beforehand. `assets/journey/undo.mjs` asks and sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dash import html

from journeymap.model.event import MERGED
from journeymap.readmodel.evidence import KEY_RULES, Rule
from journeymap.web.components.attributes import attributes

STOPPED: Final = "Ingest is not running, so no join can be undone now: start it, or use `journeymap identity split`."
"""Why the buttons do nothing while nobody writes to the store."""

STAYING: Final = "Interactions that the platform itself names stay."
LEFT: Final = "If it is one customer's then, it leads there."
NEXT_BEST: Final = "What else is known of it decides then: a further contact, its keys, or nothing."
NAMED_AT_MOST: Final = 3


def create_undo(each: Mapping[str, Any], journey_id: str, *, runs: bool) -> Any:
    """The button of one join; nothing where there is nothing to undo."""
    if each["undo"] is None:
        return ""
    title, text, does = _words(each)
    return html.Button(
        "Join again…" if each["undo"] == MERGED else "Undo…",
        className="button identity-undo",
        type="button",
        disabled=not runs,
        title=does if runs else STOPPED,
        **attributes(
            aria_haspopup="dialog",
            aria_label=f"{does}: {each['id']}",
            data_journey=journey_id,
            data_join=each["mark"],
            data_title=title,
            data_text=text,
            data_does=does,
        ),
    )


def _words(each: Mapping[str, Any]) -> tuple[str, str, str]:
    """Title, text and button of the question that is asked before."""
    one, other = each["id"], each["to"]
    later = "It holds for what comes later too, and can be taken back in this list."
    if each["rule"] == Rule.ALONE:
        return (
            "Let this key join again?",
            f"{one} will lead to its customer again; where nobody is known by it, all that use it are one. {later}",
            "Join again",
        )
    if each["rule"] == Rule.NAMED:
        return (
            "Was the wrong contact linked?",
            f"{one} will not name interaction {each['interactions'][0]} any more. {NEXT_BEST} {later}",
            "Undo the join",
        )
    if each["rule"] == Rule.SHARED:
        return (
            "Is this key not this customer's?",
            f"{each['shared_by']} will not count among those who share {one}. {LEFT} {STAYING} {later}",
            "Take it from the customer",
        )
    if each["rule"] == Rule.SPLIT:
        return (
            "Join these two again?",
            f"{one} will lead to {other} again, and so will the interactions that only this tells of. {later}",
            "Join again",
        )
    if Rule(each["rule"]) in KEY_RULES and one == other:
        here = f" In this journey that is {_listed(each['decides'])}." if each["decides"] else ""
        alone = "Each interaction that nothing else names will stand for itself."
        return (
            "Let this key join nobody?",
            f"{one} will not make those who use it one customer any more. {alone}{here} {later}",
            "Undo the join",
        )
    if Rule(each["rule"]) in KEY_RULES:
        return (
            "Take this key from the customer?",
            f"{one} will not lead to {other} any more. {_leaving(each['decides'])} {STAYING} {later}",
            "Undo the join",
        )
    return (
        "Take these two apart?",
        f"{one} will be a customer of its own again: its interactions, of this journey and of others, leave {other}. {later}",
        "Undo the join",
    )


def _leaving(names: Any) -> str:
    if not names:
        return "No interaction of this journey leaves by that; of other journeys some may."
    leave = "leaves" if len(names) == 1 else "leave"
    return f"Of this journey {_listed(names)} {leave}, as do those of other journeys that only this key had joined."


def _listed(names: Any) -> str:
    more = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
    return ", ".join(names[:NAMED_AT_MOST]) + more
