"""`journeymap identity`: by what customers are known, what was joined to one, and how a join is undone or made."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, Final

import click

from journeymap.cli.options import settings_from, settings_options
from journeymap.runtime.logs import start_logging

if TYPE_CHECKING:
    from journeymap.bootstrap.customers import Changed, Customer, KeysInUse
    from journeymap.readmodel.evidence import Joined

EXAMPLES = """\b
Examples:
  journeymap identity rules                           the rules, and how many keys each has
  journeymap identity show ann                        all that was joined to ann, and how to undo it
  journeymap identity split phone:+15555550123 ann    that number is not ann's
  journeymap identity join phone:+15555550123 bob     it is bob's
  journeymap identity split phone:+15555550123 phone:+15555550123
                                                      it is nobody's alone: it joins no calls
  journeymap identity split interaction:71c2 ann      the wrong contact was linked to 71c2
"""

WORDS: Final = {
    "contact": "the platform's own contact names the customer",
    "phone": "a telephone number that the customer's side used",
    "email": "an e-mail address that the customer's side used",
    "messaging": "what a messaging service calls the customer",
    "visitor": "whom the platform tracks on the web",
}
"""Each rule in words."""

JOINED_BY: Final = {
    "named": "named by its events",
    "bound": "a session token",
    "phone": "a telephone number",
    "email": "an e-mail address",
    "messaging": "an id of a messaging service",
    "visitor": "a web visitor",
    "shared": "shared by too many: joins nobody",
    "alone": "an operator split it from itself: joins nobody",
    "elsewhere": "a key of another customer: joins nothing here",
    "merged": "merged",
    "split": "taken apart",
    "other": "a further id, without effect",
    "unbound": "a session token of nobody known",
    "anonymous": "nothing tells whose it is",
}
"""Each rule by which an id was joined, in words."""


@click.group(epilog=EXAMPLES)
def identity() -> None:
    """Why customers are one, and how to undo it.

    Conversations of the platform's public APIs are put together into customers by contacts, telephone numbers, e-mail addresses
    and other keys. docs/identity.md says how; here you see by what a customer was put together, and can take a wrong join back.
    """


@identity.command()
@settings_options("store")
def rules(**given: Any) -> None:
    """The rules in force, in words, and how many keys each has in the store.

    Set them with IDENTITY_RULES, IDENTITY_KEY_LIMIT and IDENTITY_IGNORE; `journeymap rebuild` applies a change to what is stored.
    """
    settings = settings_from(given)
    from journeymap.bootstrap.customers import keys_in_use

    found, keys = keys_in_use(settings)
    if not found.order:
        click.echo("No rule is on: only the customers that an event stream names are known.")
    for place, rule in enumerate(found.order, 1):
        counts = keys.get(rule)
        click.echo(f"{place}. {rule:10} {WORDS[rule]}" + (f"  ({_counted(counts)})" if counts else ""))
    off = [rule for rule in WORDS if rule not in found.order]
    if off:
        click.echo(f"Off: {', '.join(off)}")
    customers = "customer uses" if found.key_limit == 1 else "customers use"
    click.echo(
        f"A key that more than {found.key_limit} {customers}, or that is on more than {found.busy} interactions, joins nobody."
    )
    click.echo(
        f"Ignored: {', '.join(found.ignore) or 'nothing; set IDENTITY_IGNORE to your own numbers and addresses'}"
    )


def _counted(keys: KeysInUse) -> str:
    from journeymap.cli.progress import counted

    if not keys.known:
        return "no keys yet"
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (keys.leading, "of known customers"),
            (keys.anonymous, "of anonymous ones"),
            (keys.shared, "shared by too many"),
            (keys.busy, "on too many interactions"),
        )
        if number
    ]
    return f"{counted(keys.known, 'key')}: {', '.join(parts)}"


@identity.command()
@click.argument("customer")
@settings_options("store", "time_zone")
def show(customer: str, **given: Any) -> None:
    """Everything that was joined to a CUSTOMER, each with its rule, its event and the command that undoes it.

    CUSTOMER is an id as the live view shows it, or a key (phone:+15555550123) of theirs.
    """
    settings = settings_from(given)
    from journeymap.bootstrap.customers import customer as looked_up
    from journeymap.bootstrap.exporting import zone_of

    found = looked_up(settings, customer)
    zone, name = zone_of(settings)
    _say_customer(found, customer, name)
    for each in found.joined:
        for line in _lines(each, zone):
            click.echo(line)


def _say_customer(found: Customer, asked: str, zone: str) -> None:
    from journeymap.cli.progress import counted

    if found.customer_id != asked:
        click.echo(f"{asked} is {found.customer_id}.")
    standing = found.standing
    journeys, interactions = counted(standing.journeys, "journey"), counted(standing.interactions, "interaction")
    click.echo(f"{found.customer_id}: {journeys}, {interactions}. Times are {zone}.")


def _lines(each: Joined, zone: Any) -> list[str]:
    from datetime import datetime

    from journeymap.runtime.operator import JOIN, TAKE_APART

    leads = f" → {each.to}" if each.to and each.to != each.id else ""
    lines = [f"\n{each.id}{leads}", f"  rule   {JOINED_BY[each.rule]}"]
    if each.event_id is not None:
        at = "" if each.at is None else datetime.fromtimestamp(each.at / 1000, zone).strftime(" at %Y-%m-%d %H:%M:%S")
        where = f" of interaction {each.event_of}" if each.event_of else ""
        lines.append(f"  event  {each.event_id} ({each.type or 'an event'}){where}{at}")
    if each.interactions:
        lines.append(f"  on     {_some(each.interactions)}")
    if each.decides:
        lines.append(f"  joined {_some(each.decides)}")
    if each.contact and len(each.interactions) > 1:
        lines.append(
            f"  undo   journeymap identity split interaction:ID {shlex.quote(each.id)}   with the ID of one of these"
        )
    if (undone := each.undone_by) is not None:
        event_type, one, other = undone
        verb = TAKE_APART if event_type.endswith("split") else JOIN
        lines.append(f"  undo   journeymap identity {verb} {shlex.quote(one)} {shlex.quote(other)}")
    return lines


def _some(names: Any, most: int = 4) -> str:
    listed = list(dict.fromkeys(names))
    more = f" and {len(listed) - most:,} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more


@identity.command()
@click.argument("one", metavar="FROM")
@click.argument("other", metavar="TO")
@settings_options("source", "store")
def split(one: str, other: str, **given: Any) -> None:
    """Take FROM apart from the customer TO: undo a join.

    FROM is a key (phone:+15555550123) or a customer id that was merged, TO the customer that it leads to, as `identity show`
    lists them. Interactions that only this join gave to TO leave; what TO's own events name stays. It is an event of its own and
    holds, also for what comes later and over a rebuild, until the two are joined again.

    A key that several customers share is split from one of them who is not to count: if one is left, it leads there. A key that
    is split from itself (FROM and TO the same) joins nobody; what only it had joined stands for itself.

    Where the wrong contact was linked to an interaction, FROM is interaction: and its id, TO the contact: it names that
    interaction no longer.

    With ingest running this leaves it a command and waits until it is done; otherwise it writes to the store itself.
    """
    _change("split", one, other, given)


@identity.command()
@click.argument("one", metavar="FROM")
@click.argument("other", metavar="TO")
@settings_options("source", "store")
def join(one: str, other: str, **given: Any) -> None:
    """Make FROM the same customer as TO, or undo a split.

    FROM is a customer id or a key (phone:+15555550123); from now on it stands for TO, for what came before as well. A key leads
    to TO then even if other customers use it too: their own interactions stay theirs. With FROM and TO the same key, a split of
    the key from itself is taken back. `identity split` undoes a join.
    """
    _change("join", one, other, given)


def _change(do: str, one: str, other: str, given: dict[str, Any]) -> None:
    settings = settings_from(given)
    start_logging(settings)
    from journeymap.bootstrap.customers import change

    _say_changed(do, one, other, change(settings, do, one, other))


def _say_changed(do: str, one: str, other: str, found: Changed) -> None:
    from journeymap.cli.progress import counted

    done = f"{one} is apart from {other}" if do == "split" else f"{one} is joined to {other}"
    if one == other:
        done = f"{one} joins nobody now" if do == "split" else f"{one} joins again whom it leads to"
    by = f" (done by ingest, {found.through})" if found.through else ""
    if not found.journeys:
        click.echo(f"{done}{by}; no stored journey changes by it, it holds for what comes later.")
    else:
        click.echo(f"{done}{by}: {counted(found.journeys, 'journey')} changed.")
        for name, now in found.after.items():
            was = found.before[name]
            if was != now:
                interactions = counted(now.interactions, "interaction")
                before = f"before {was.journeys:,} with {was.interactions:,}"
                click.echo(f"  {name}: {counted(now.journeys, 'journey')} with {interactions}, {before}")
    back = "join" if do == "split" else "split"
    click.echo(f"Undo it with: journeymap identity {back} {shlex.quote(one)} {shlex.quote(other)}")
