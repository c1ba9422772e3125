"""Clients that were not written here work against the simulated platform as they are: the platform's own SDK, and a package."""

import json
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from journeymap.simulator.publicapi.chronicle import Chronicle
from journeymap.simulator.publicapi.conversation import DETAIL_KINDS
from journeymap.simulator.publicapi.details import body
from journeymap.simulator.publicapi.records import record
from journeymap.simulator.publicapi.snapshots import MEDIA, snapshot, whole
from journeymap.simulator.publicapi.stamps import stamp
from journeymap.simulator.server import SimulatedPlatform
from journeymap.simulator.story import Story
from journeymap.simulator.tls import Tls
from tests.public_client import PublicClient

HERE = Path(__file__).parent
# The SDK is 6,600 modules, which a busy machine that has not compiled them yet takes its time over.
pytestmark = pytest.mark.timeout(300)
NOW = 1_795_145_400_000
"""At night, when the load is the same for hours: the cast of one level of load is all that is needed."""
MODELS = {
    "customer.start": "CustomerStartDetailEventTopicCustomerStartEvent",
    "customer.end": "CustomerEndDetailEventTopicCustomerEndEvent",
    "contact": "ContactDetailEventTopicContactUpdateEvent",
    "attributes": "AttributeDetailEventTopicAttributeUpdateEvent",
    "flow.start": "FlowStartDetailEventTopicFlowStartEvent",
    "flow.end": "FlowEndDetailEventTopicFlowEndEvent",
    "flow.outcome": "FlowOutcomeDetailEventTopicFlowOutcomeEvent",
    "acd.start": "AcdStartDetailEventTopicAcdStartEvent",
    "acd.end": "AcdEndDetailEventTopicAcdEndEvent",
    "user.start": "UserStartDetailEventTopicUserStartEvent",
    "user.end": "UserEndDetailEventTopicUserEndEvent",
    "acw": "AcwDetailEventTopicAfterCallWorkEvent",
    "wrapup": "WrapupDetailEventTopicWrapupEvent",
    "outbound": "OutboundDetailEventTopicOutboundInitEvent",
    "voicemail.start": "VoicemailStartDetailEventTopicVoicemailStartEvent",
    "voicemail.end": "VoicemailEndDetailEventTopicVoicemailEndEvent",
}
"""The SDK's model of each kind of detail event."""


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """One body at least of everything that is told of conversations, with the SDK's model of it."""
    chronicle = Chronicle(Story(3, 20.0))
    kinds: dict[str, dict[str, Any]] = {}
    media: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for found in sorted(chronicle.open_between(NOW, NOW + 1_200_000)):
        conversation = chronicle.conversation(found)
        for moment in conversation.moments:
            if moment.kind in DETAIL_KINDS and moment.kind not in kinds:
                kinds[moment.kind] = body(conversation, moment)
        if conversation.channel not in media and len(conversation.legs) > 3 and conversation.end is not None:
            middle = conversation.moments[len(conversation.moments) // 2].at
            media[conversation.channel] = [
                ("QueueConversationEventTopicConversation", snapshot(conversation, middle)),
                ("ConversationEventTopicConversation", snapshot(conversation, conversation.end)),
                ("Conversation", whole(conversation, conversation.end)),
                ("AnalyticsConversationWithoutAttributes", record(conversation, middle)),
                ("AnalyticsConversation", record(conversation, conversation.end, attributes=True)),
            ]
    assert set(kinds) == set(DETAIL_KINDS)
    assert set(media) == set(MEDIA)
    told = [(MODELS[kind], said) for kind, said in kinds.items()] + [
        one for several in media.values() for one in several
    ]
    return [*told, (MODELS["acd.end"], {"eventTime": NOW, "acdOutcome": "LOST", "novelty": 1})]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority and a certificate of this machine by it."""
    folder = tmp_path_factory.mktemp("tls")
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "authority.pem"))
    made.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "cert.pem"))
    return folder


@pytest.fixture(scope="module")
def secure(authority: Path) -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(rate=20.0, queues=230, tls=Tls(authority / "cert.pem")) as platform:
        yield platform


@pytest.fixture(scope="module")
def sdk(secure: SimulatedPlatform, authority: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK saw."""
    home = tmp_path_factory.mktemp("home")
    secure.set_faults(job_lag=1, job_time=0.2)
    at = time.time_ns() // 1_000_000
    (home / "bodies.json").write_text(json.dumps(bodies()), encoding="utf-8")
    arguments = [
        secure.api_url,
        secure.client_id,
        secure.client_secret,
        authority / "authority.pem",
        home / "bodies.json",
    ]
    run = subprocess.run(
        [sys.executable, HERE / "sdk_client.py", *arguments, f"{stamp(at - 600_000)}/{stamp(at - 60_000)}"],
        env=os.environ | {"HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    seen: dict[str, Any] = json.loads(run.stdout)
    return seen


def test_the_sdk_gets_a_token_or_is_told_why_not(sdk: dict[str, Any]) -> None:
    assert sdk["token"]
    assert sdk["refusals"] == [[400, "client not found"], [401, "authentication failed"]]


def test_the_sdk_lists_the_organisation(sdk: dict[str, Any]) -> None:
    assert len(sdk["queues"]) == 230
    assert sdk["queue"] == "Sales"
    assert sdk["users"] > 100
    assert "Invoice explained" in sdk["codes"]
    assert ["Main line", "INBOUNDCALL"] in sdk["flows"]
    assert sdk["not found"] == [404, "not.found"]


def test_the_sdk_opens_a_channel_and_subscribes(sdk: dict[str, Any]) -> None:
    assert sdk["transports"]["v2.routing.queues.{id}.conversations"] == ["Websocket"]
    assert sdk["refused"] == 403
    assert sdk["judged"] == ["Permitted", "Rejected"]
    assert sdk["missing"] == ["conversation:communication:view"]
    assert sdk["subscribed"] == 230


def test_the_sdk_reads_an_event_that_it_received(sdk: dict[str, Any]) -> None:
    topic, conversation, purposes = sdk["event"]
    assert topic.split(".")[3] in sdk["queues"].values()
    assert len(conversation) == 36
    assert "customer" in purposes


def test_the_models_of_the_sdk_have_a_place_for_all_that_is_said(sdk: dict[str, Any]) -> None:
    *told, wrong = sdk["models"]
    assert len(told) == 16 + 5 * len(MEDIA)
    assert [(model, lost) for model, lost in told if lost] == []
    assert wrong[1] == [".acdOutcome", ".novelty"], "the last one is wrong, to show that it would be seen"


def test_the_sdk_queries_what_was_and_what_is(sdk: dict[str, Any]) -> None:
    hits, got, conversation = sdk["details"]
    assert (hits > 1_000, got) == (True, 100)
    assert sdk["same"] == sdk["conversation"] == conversation
    assert "interact" in sdk["segments"]
    assert sdk["empty page"] is None
    assert sdk["activity"]
    assert all(count == named > 0 for count, named in sdk["activity"])
    assert sdk["job"] == ["FULFILLED", 50, True]


class Listener:
    """The package `genesys-notifications` as a process."""

    def __init__(self, authority: Path, *arguments: str) -> None:
        command = [sys.executable, "-W", "ignore", str(HERE / "notification_client.py"), *arguments]
        trusting = os.environ | {"SSL_CERT_FILE": str(authority / "authority.pem")}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=trusting)

    def __enter__(self) -> Callable[[], Any]:
        return self._next

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def _next(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@pytest.fixture
def client(secure: SimulatedPlatform, authority: Path) -> Iterator[PublicClient]:
    with PublicClient(secure, ssl.create_default_context(cafile=authority / "authority.pem")) as client:
        yield client


def test_the_package_receives_what_happens_and_hears_of_maintenance(client: PublicClient, authority: Path) -> None:
    names = {f"v2.routing.queues.{queue}.conversations" for queue in client.queues().values()}
    channel = client.channel()
    assert channel["connectUri"].startswith("wss://")
    with Listener(authority, channel["connectUri"], *names) as received:
        assert received() == {"connected": True}
        events = [received() for _ in range(3)]
        assert {event["topicName"] for event in events} <= names
        assert all(event["eventBody"]["participants"] for event in events)
        client.platform.act("socket_closing")
        while "topicName" in (last := received()):
            pass
        assert last == {"expiring": "ChannelClosing"}


def test_the_package_is_told_that_a_topic_is_refused(client: PublicClient, authority: Path) -> None:
    with Listener(authority, client.channel()["connectUri"], "v2.users.nobody.conversations") as received:
        assert received() == {"connected": True}
        assert "Missing required permissions" in received()["refused"]
