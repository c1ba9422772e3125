"""What the session tokens are bound to, as far as it is in memory (docs/stitching.md, section 2)."""

from __future__ import annotations

from collections.abc import Iterable

from journeymap.model.change import Changes, TokenRecord
from journeymap.stitch import identity
from journeymap.stitch.aliases import Aliases
from journeymap.stitch.hot import HotInteraction, Shelf
from journeymap.stitch.rules import IdentityRules

_GONE = ""  # under this name a token keeps the evidence of interactions that were evicted while others still need it


def left_behind(token: TokenRecord) -> TokenRecord | None:
    """What a token knows from interactions that were evicted, which no event says any more; None if there is nothing."""
    evidence = token.evidence.get(_GONE)
    return None if evidence is None else TokenRecord(token.session_token, {_GONE: evidence})


class Bindings:
    """For each token: the interactions that carry it, each with its earliest evidence for a customer."""

    def __init__(self, shelf: Shelf, rules: IdentityRules, aliases: Aliases) -> None:
        self._shelf = shelf
        self._rules = rules
        self._aliases = aliases
        self._evidence: dict[str, dict[str, identity.Evidence | None]] = {}
        self._unsaved: dict[str, None] = {}

    @property
    def unsaved(self) -> int:
        """How many tokens changed since they were last handed out to be stored."""
        return len(self._unsaved)

    def load(self, tokens: Iterable[str]) -> None:
        """Bring these tokens into memory."""
        wanted = [token for token in tokens if token not in self._evidence]
        if wanted:
            found = self._shelf.tokens(wanted)
            for token in wanted:
                self._evidence[token] = dict(found[token].evidence) if token in found else {}

    def load_for(self, interactions: Iterable[HotInteraction]) -> None:
        """Bring the tokens of those that name no customer themselves into memory."""
        self.load({token for item in interactions if self._own(item) is None for token in item.tokens})

    def _own(self, interaction: HotInteraction) -> str | None:
        wrong = self._aliases.wrong_contacts(interaction.interaction_id)
        return identity.own_customer(interaction.events, self._rules, wrong) if wrong else interaction.own_customer

    def named(self, interaction: HotInteraction) -> str | None:
        """Whose an interaction is by its own events or a bound token, before aliases; None if neither tells. Its tokens must be
        loaded if it names no customer itself."""
        own = self._own(interaction)
        if own is not None:
            return own
        for token in interaction.tokens:
            bound = identity.bound_to(self._evidence[token].values())
            if bound is not None:
                return bound
        return None

    def note(self, interaction: HotInteraction) -> list[str]:
        """Take in what an interaction knows of its tokens; the names of the interactions that this may give another
        customer."""
        name = interaction.interaction_id
        tokens = interaction.tokens
        concerned = interaction.noted.keys() | tokens.keys() if interaction.noted else tokens.keys()
        self.load(concerned)
        affected: list[str] = []
        for token in concerned:
            evidence = self._evidence[token]
            before = identity.bound_to(evidence.values()) if evidence else None
            if token in tokens:
                evidence[name] = tokens[token]
            else:
                evidence.pop(name, None)
            self._unsaved[token] = None
            alone = len(evidence) == 1 and name in evidence
            if not alone and identity.bound_to(evidence.values()) != before:
                affected += evidence
        interaction.noted = dict(tokens)
        return [other for other in affected if other not in (name, _GONE)]

    def forget(self, interaction: HotInteraction) -> None:
        """An interaction is evicted. What it bound stays bound while others carry the token."""
        self.load(interaction.noted)
        for token in interaction.noted:
            evidence = self._evidence[token]
            last = [item for item in (evidence.pop(interaction.interaction_id, None), evidence.get(_GONE)) if item]
            if last:
                evidence[_GONE] = min(last)
            self._unsaved[token] = None

    def take_changes(self, changes: Changes) -> None:
        """Add what changed to the changes of a checkpoint."""
        for token in self._unsaved:
            evidence = self._evidence[token]
            if evidence.keys() - {_GONE}:
                changes.tokens.append(TokenRecord(token, dict(evidence)))
            else:
                changes.delete_tokens.append(token)
        self._unsaved = {}

    def release(self) -> None:
        """Let all tokens that are stored leave memory."""
        self._evidence = {token: self._evidence[token] for token in self._unsaved}
