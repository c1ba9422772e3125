"""The store's port as a suite: each implementation inherits it and passes it whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from journeymap.errors import InputError, StoreCorruptError
from journeymap.model.change import Carrier, Changes, KeyRecord, RowChanges, Span, TokenRecord
from journeymap.store.base import BATCHES_KEPT, Batch, Commit, Query, Store
from journeymap.store.disk import open_disk_store
from journeymap.store.memory import MemoryStore
from tests.contract.commits import ids, kept, record, row, shown

ODD_NAMES = (
    "\0",
    "a\0b",
    "a\0c",
    "",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "ünïcode",
    "j:1",
    "#",
    "'; DROP TABLE Cache; --",
    "%_",
)


class StoreSuite:
    """What every store does."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        raise NotImplementedError

    # -- batches and head -----------------------------------------------------------------------------------------

    def test_an_empty_store_answers_everything(self, store: Store) -> None:
        assert (store.head(), store.batches(0), store.snapshot(0, 10).rows) == (0, [], [])
        assert store.find("j-1") is None
        assert store.token("t") is None
        assert store.document("status") is None
        assert (store.find_many(["a"]), store.tokens(["a"]), store.chunks([]), store.spans("C")) == ({}, {}, [], [])
        assert (dict(store.identity()), dict(store.positions()), store.query(Query())) == ({}, {}, [])
        assert (store.count(), store.count(0), store.evictable(9, None, 9), store.take_commands()) == (0, 0, [], [])
        assert list(store.fingerprints()) == []

    def test_each_commit_with_rows_is_the_next_batch(self, store: Store) -> None:
        assert store.commit(shown(row("a"), now=7)) == 1
        assert store.commit(shown(gone={"a": "b"}, now=8)) == 2
        assert store.head() == 2
        assert store.batches(0) == [Batch(1, 7, [row("a")], {}), Batch(2, 8, [], {"a": "b"})]
        assert store.batches(1) == [Batch(2, 8, [], {"a": "b"})]
        assert store.batches(2) == []

    def test_a_commit_without_rows_leaves_the_head(self, store: Store) -> None:
        store.commit(shown(row("a")))
        assert store.commit(kept(record("a"), rows=False)) == 1
        assert store.commit(Commit(1, RowChanges(), None, {"s": 5})) == 1
        assert store.head() == 1
        assert len(store.batches(0) or []) == 1

    def test_a_cursor_above_the_head_is_of_another_store(self, store: Store) -> None:
        store.commit(shown(row("a")))
        assert store.batches(2) is None
        assert store.batches(2**70) is None

    def test_a_reader_too_far_behind_takes_a_snapshot(self, store: Store) -> None:
        for number in range(BATCHES_KEPT + 10):
            store.commit(kept(record("a", 1_000 + number)))
        assert store.batches(0) is None
        assert store.batches(9) is None
        batches = store.batches(10)
        assert batches is not None
        assert [batch.number for batch in batches] == list(range(11, BATCHES_KEPT + 11))
        assert store.snapshot(0, 10).head == BATCHES_KEPT + 10

    def test_batches_that_the_records_do_not_hold_are_all_kept(self, store: Store) -> None:
        for number in range(BATCHES_KEPT + 10):
            store.commit(shown(row(f"j-{number}")))
        assert len(store.snapshot(0, 10_000).rows) == BATCHES_KEPT + 10
        store.commit(kept(record("last")))
        assert store.batches(0) is None

    # -- snapshot -------------------------------------------------------------------------------------------------

    def test_a_snapshot_is_records_and_later_batches(self, store: Store) -> None:
        store.commit(kept(record("a", 100), record("b", 200), record("c", 300)))
        store.commit(shown(row("b", 400), gone={"a": "b"}))
        store.commit(shown(row("d", 350)))
        snapshot = store.snapshot(0, 10)
        assert snapshot.head == 3
        assert [(one.journey_id, one.last_event_at) for one in snapshot.rows] == [("b", 400), ("d", 350), ("c", 300)]

    def test_a_snapshot_holds_what_is_open_or_recent(self, store: Store) -> None:
        store.commit(kept(record("old", 100), record("open", 110, closed_from=2_000), record("new", 1_000)))
        assert ids(store.snapshot(1_000, 10).rows) == ["new", "open"]
        assert ids(store.snapshot(0, 10).rows) == ["new", "open", "old"]

    def test_the_limit_keeps_the_latest_and_makes_up_for_what_is_gone(self, store: Store) -> None:
        store.commit(kept(*(record(f"j-{number}", number) for number in range(10))))
        store.commit(shown(row("j-0", 50), gone={"j-9": None}))
        assert ids(store.snapshot(0, 3).rows) == ["j-0", "j-8", "j-7"]
        assert store.snapshot(0, 0).rows == []
        assert store.snapshot(0, -1).rows == []

    def test_a_checkpoint_makes_the_batches_before_it_irrelevant(self, store: Store) -> None:
        store.commit(shown(row("a", 100)))
        store.commit(kept(record("b", 50), rows=False))
        assert ids(store.snapshot(0, 10).rows) == ["b"]

    # -- records --------------------------------------------------------------------------------------------------

    def test_records_come_back_as_they_went(self, store: Store) -> None:
        one = record("j-1")
        store.commit(kept(one, chunks={"c1": (b"\xff\0", b"")}))
        assert store.find("j-1") == one
        assert store.find_many(["j-1", "nix"]) == {"j-1": one}
        assert store.chunks(["c1", "c1"]) == [(b"\xff\0", b"")] * 2

    def test_the_row_of_a_record_need_not_be_the_one_in_the_batch(self, store: Store) -> None:
        one = record("j-1")
        store.commit(Commit(1, RowChanges([row("j-1", 7)]), Changes(journeys=[one])))
        assert store.find("j-1") == one
        assert (store.batches(0) or [])[0].rows == [row("j-1", 7)]

    def test_a_members_id_leads_to_its_journey(self, store: Store) -> None:
        store.commit(kept(record("j-1"), pointers={"j-2": "j-1", "j-3": "nix"}))
        assert store.find("j-2") == store.find("j-1")
        assert store.find("j-3") is None
        assert store.find_many(["j-1", "j-2", "j-3"]) == {"j-1": record("j-1"), "j-2": record("j-1")}
        store.commit(kept(delete_pointers=["j-2"]))
        assert store.find("j-2") is None

    def test_many_ids_at_once(self, store: Store) -> None:
        store.commit(kept(*(record(f"j-{number}") for number in range(1_201))))
        assert len(store.find_many(f"j-{number}" for number in range(2_000))) == 1_201

    def test_deletions_come_before_what_is_written(self, store: Store) -> None:
        store.commit(kept(record("a"), record("b"), chunks={"c": (b"1",)}, tokens=[TokenRecord("t", {})]))
        store.commit(
            kept(
                record("a", 2_000),
                delete_journeys=["a", "b", "nix"],
                delete_chunks=["c"],
                delete_tokens=["t"],
                chunks={"c": (b"2",)},
            )
        )
        assert store.find("a") == record("a", 2_000)
        assert store.find("b") is None
        assert store.chunks(["c"]) == [(b"2",)]
        assert store.token("t") is None
        assert store.count() == 1

    def test_a_missing_chunk_is_said(self, store: Store) -> None:
        with pytest.raises(StoreCorruptError, match="nix"):
            store.chunks(["nix"])

    def test_tokens(self, store: Store) -> None:
        one = TokenRecord("t1", {"i-1": ((1, 2, "e", "i-1"), "C"), "i-2": None})
        store.commit(kept(tokens=[one]))
        assert store.token("t1") == one
        assert store.tokens(["t1", "t2"]) == {"t1": one}
        store.commit(kept(delete_tokens=["t1"]))
        assert store.tokens(["t1"]) == {}

    def test_keys(self, store: Store) -> None:
        assert (store.keys(["phone:+1"]), list(store.key_records())) == ({}, [])
        carriers = {"i-1": Carrier((1, 2, "e", "i-1"), "C", True), "i-2": Carrier((3, 4, "f", "i-2"), None, False)}
        one = KeyRecord("phone:+1", "C", True, carriers, (Carrier((0, 0, "d", "i-0"), "C", False),))
        other = KeyRecord("email:\xe4 " + "x" * 300, None, True, {}, (), 101)
        store.commit(kept(keys=[one, other], tokens=[TokenRecord("phone:+1", {})]))
        assert store.keys(["phone:+1", other.key, "phone:+2"]) == {"phone:+1": one, other.key: other}
        assert sorted(store.key_records(), key=lambda each: each.busy) == [one, other]
        store.commit(kept(keys=[KeyRecord("phone:+1", None, False, {})], delete_keys=[other.key]))
        assert list(store.key_records()) == [KeyRecord("phone:+1", None, False, {})]
        store.commit(kept(delete_keys=["phone:+1"]))
        assert store.keys(["phone:+1"]) == {}
        assert store.token("phone:+1") is not None

    def test_identity_events(self, store: Store) -> None:
        store.commit(kept(identity={"e1": b"1", "e2": b"2"}))
        store.commit(kept(identity={"e3": b"3"}, delete_identity=["e1"]))
        assert dict(store.identity()) == {"e2": b"2", "e3": b"3"}

    def test_an_event_id_need_not_even_be_unicode(self, store: Store) -> None:
        store.commit(kept(identity={"\ud800": b"{}"}))
        assert dict(store.identity()) == {"\ud800": b"{}"}

    def test_names_may_be_anything(self, store: Store) -> None:
        names = list(ODD_NAMES)
        store.commit(
            kept(
                *(record(name, customer=name, channel=name) for name in names),
                chunks={name: (name.encode(),) for name in names},
                tokens=[TokenRecord(name, {name: None}) for name in names],
                identity={name: name.encode() for name in names},
            )
        )
        assert set(store.find_many(names)) == set(names)
        assert store.chunks(names) == [(name.encode(),) for name in names]
        assert set(store.tokens(names)) == set(names)
        assert dict(store.identity()) == {name: name.encode() for name in names}
        for name in names:
            assert ids(store.spans(name)) == [name]
            assert name in ids(store.query(Query(customer=name, channels=frozenset([name]))))

    def test_questions_may_be_anything(self, store: Store) -> None:
        store.commit(kept(record("a")))
        lone = "\ud800"
        assert store.find(lone) is None
        assert store.token(lone) is None
        assert store.spans(lone) == []
        assert store.query(Query(customer=lone)) == []
        assert store.query(Query(channels=frozenset([lone]))) == []
        assert ids(store.query(Query(start=-(2**80), end=2**80, limit=2**80))) == ["a"]
        assert store.query(Query(limit=-1)) == []
        assert store.evictable(2**80, 2**80, -5) == []
        assert store.batches(-5) == store.batches(0)

    # -- questions over all that is stored ------------------------------------------------------------------------

    def test_spans_of_a_customer(self, store: Store) -> None:
        store.commit(kept(record("b", 900, first=600), record("a", 500, first=100), record("c", customer="c")))
        assert store.spans("C") == [Span("a", 100, 500), Span("b", 600, 900)]
        store.commit(kept(record("a", 550, first=100, customer="c"), delete_journeys=["b"]))
        assert store.spans("C") == []
        assert store.spans_of(["C", "c", "nix"]) == {"c": [Span("a", 100, 550), Span("c", 500, 1_000)]}

    def test_query_orders_and_pages(self, store: Store) -> None:
        store.commit(
            kept(*(record(f"j-{number}", 100 + number // 3, started=400 - number // 3) for number in range(9)))
        )
        for order, value in (("last_event_at", "last_event_at"), ("started_at", "started_at")):
            for descending in (True, False):
                asked = Query(order=order, descending=descending, limit=4)
                seen, page = [], store.query(asked)
                while page:
                    seen += page
                    last = page[-1]
                    page = store.query(msgspec.structs.replace(asked, after=(getattr(last, value), last.journey_id)))
                places = [(getattr(one, value), one.journey_id) for one in seen]
                assert places == sorted(places, reverse=descending)
                assert len(set(places)) == 9

    def test_query_refuses_an_unknown_order(self, store: Store) -> None:
        with pytest.raises(InputError, match="colour"):
            store.query(Query(order="colour"))

    def test_query_filters(self, store: Store) -> None:
        store.commit(
            kept(
                record("a", 200, first=100, customer="Ann 100%"),
                record("b", 400, first=300, customer="bob_", channel="chat", closed_from=900),
                record("c", 600, first=500, customer="STRASSE", channel="e|mail", closed_from=1_000),
            )
        )
        for query, expected in (
            (Query(customer="ANN"), "a"),
            (Query(customer="0%"), "a"),
            (Query(customer="b_"), "b"),
            (Query(customer="%"), "a"),
            (Query(customer="straße"), "c"),
            (Query(customer=""), "cba"),
            (Query(channels=frozenset({"chat", "voice"})), "ba"),
            (Query(channels=frozenset({"mail"})), ""),
            (Query(channels=frozenset({"e|mail"})), "c"),
            (Query(start=200, end=500), "ba"),
            (Query(start=201, end=501), "cb"),
            (Query(start=401, end=500), ""),
            (Query(open_at=899), "cb"),
            (Query(open_at=900), "c"),
            (Query(closed_at=900), "ba"),
            (Query(open_at=899, customer="bob", descending=False), "b"),
        ):
            assert "".join(ids(store.query(query))) == expected, query

    def test_query_follows_what_changes(self, store: Store) -> None:
        store.commit(kept(record("a", 100, customer="old", closed_from=5_000)))
        store.commit(kept(record("a", 200, customer="new", channel="chat", first=50, started=50)))
        assert store.query(Query(customer="old")) == []
        assert store.query(Query(channels=frozenset({"voice"}))) == []
        assert ids(store.query(Query(customer="new", channels=frozenset({"chat"}), end=51))) == ["a"]
        assert (store.count(), store.count(1_000)) == (1, 0)

    def test_counts(self, store: Store) -> None:
        store.commit(kept(record("a", 100), record("b", 100, closed_from=500), record("c", 100, closed_from=600)))
        assert (store.count(), store.count(0), store.count(499), store.count(500), store.count(600)) == (3, 3, 2, 1, 0)

    def test_evictable_goes_by_activity_and_never_takes_an_open_journey(self, store: Store) -> None:
        store.commit(kept(record("a", 300), record("b", 100), record("c", 50, closed_from=1_000), record("d", 200)))
        assert store.evictable(999, None, 10) == ["b", "d", "a"]
        assert store.evictable(999, None, 2) == ["b", "d"]
        assert store.evictable(999, 200, 10) == ["b"]
        assert store.evictable(1_000, 200, 10) == ["c", "b"]

    # -- the rest -------------------------------------------------------------------------------------------------

    def test_positions_are_kept_by_source(self, store: Store) -> None:
        store.commit(Commit(1, RowChanges(), Changes(), {"a": 1, "b": 2}))
        store.commit(Commit(1, RowChanges(), Changes(), {"a": 5}))
        store.commit(shown(row("a")))
        assert dict(store.positions()) == {"a": 5, "b": 2}

    def test_a_document_is_the_last_one_written_under_its_name(self, store: Store) -> None:
        store.write_documents({"status": b"{}", "gaps": b"[]"})
        store.write_documents({"status": b'{"a":1}'})
        assert (store.document("status"), store.document("gaps"), store.head()) == (b'{"a":1}', b"[]", 0)

    def test_a_document_may_be_as_large_as_a_hundred_thousand_names(self, store: Store) -> None:
        large = b"[" + b",".join(b'["user","%036d","Somebody with a longish name"]' % n for n in range(100_000)) + b"]"
        store.write_documents({"names": large, "status": b"{}"})
        assert (store.document("names") == large, store.document("status")) == (True, b"{}")

    def test_commands_are_taken_once_and_bounded(self, store: Store) -> None:
        for number in range(103):
            store.leave_command(f"retry {number}")  # type: ignore[attr-defined]
        assert list(store.take_commands()) == [f"retry {number}" for number in range(3, 103)]
        assert list(store.take_commands()) == []
        for wrong in ("", "x" * 5_000, "\ud800"):
            with pytest.raises(InputError):
                store.leave_command(wrong)  # type: ignore[attr-defined]

    def test_the_size_grows_with_what_is_stored(self, store: Store) -> None:
        before = store.size()
        store.commit(kept(record("a"), chunks={"c": (b"x" * 1_000_000,)}))
        assert store.size() >= before + 1_000_000

    def test_what_is_given_and_got_is_not_shared(self, store: Store) -> None:
        token, rows, gone = TokenRecord("t", {}), [row("a")], {"b": None}
        store.commit(Commit(1, RowChanges(rows, gone), Changes(tokens=[token])))  # type: ignore[arg-type]
        token.evidence["i"] = None
        rows.clear()
        gone.clear()
        (store.token("t") or token).evidence["j"] = None
        for batch in store.batches(0) or []:
            batch.rows.append(row("z"))
        assert store.token("t") == TokenRecord("t", {})
        assert store.batches(0) == [Batch(1, 1, [row("a")], {"b": None})]

    def test_any_thread_may_read_while_one_writes(self, store: Store) -> None:
        failures: list[BaseException] = []
        done = threading.Event()

        def follow() -> None:
            try:
                cursor = 0
                while cursor < 60:
                    for batch in store.batches(cursor) or []:
                        assert batch.number == cursor + 1
                        cursor = batch.number
                    snapshot = store.snapshot(0, 100)
                    assert [one.last_event_at for one in snapshot.rows] == [snapshot.head] * len(snapshot.rows)
                    if done.is_set():
                        assert store.head() == 60
            except BaseException as error:  # told by the main thread
                failures.append(error)

        threads = [threading.Thread(target=follow) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(1, 61):
            rows = [record(name, number) for name in "abc"]
            store.commit(kept(*rows) if number % 3 == 0 else shown(*(one.row for one in rows)))
        done.set()
        for thread in threads:
            thread.join(30)
        assert failures == []

    def test_closing_twice_is_fine(self, store: Store) -> None:
        store.close()
        store.close()


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Store:  # type: ignore[override]
        return MemoryStore()


class TestDiskStore(StoreSuite):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = open_disk_store(tmp_path / "store", source="s", environment="e", now=1)
        yield store
        store.close()
