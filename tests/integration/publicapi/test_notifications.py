"""The Notification Service: channels, topics, sockets, and what arrives on them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from journeymap.simulator.server import SimulatedPlatform
from tests.platform_client import closed_with, eventually
from tests.public_client import CHANNELS, PublicClient, frames, next_frame


@pytest.fixture(scope="module")
def platform() -> Iterator[SimulatedPlatform]:
    with SimulatedPlatform(queues=1_200, rate_limit=100_000, notification_heartbeat=3_600) as platform:
        yield platform


@pytest.fixture
def client(platform: SimulatedPlatform) -> Iterator[PublicClient]:
    platform.reset_faults()
    platform.expire_tokens()  # and with them the channels of the test before
    eventually(lambda: platform.stats()["public"]["channels"] == 0)
    with PublicClient(platform) as client:
        yield client


def subscriptions(channel: dict[str, Any]) -> str:
    return f"{CHANNELS}/{channel['id']}/subscriptions"


def topic(queue: str) -> str:
    return f"v2.routing.queues.{queue}.conversations"


def pinged(socket: websocket.WebSocket) -> bool:
    """Read on, which answers the platform's own pings too: what came before is acknowledged then."""
    socket.send(json.dumps({"message": "ping"}))
    return bool(next_frame(socket)["eventBody"]["message"] == "pong")


def asked(*topics: str) -> list[dict[str, str]]:
    return [{"id": topic} for topic in topics]


def test_a_channel_lives_for_a_day(client: PublicClient) -> None:
    channel = client.channel()
    assert channel["connectUri"].endswith("/channels/" + channel["id"])
    assert channel["expires"].endswith("Z")
    assert client.call("HEAD", f"{CHANNELS}/{channel['id']}").status_code == 200
    assert client.call("HEAD", f"{CHANNELS}/streaming-0-nowhere").status_code == 404
    assert client.get(CHANNELS)["entities"] == [channel]


def test_the_twenty_first_channel_takes_the_place_of_the_one_without_a_socket(client: PublicClient) -> None:
    channels = [client.channel() for _ in range(20)]
    oldest = client.connect(channels[0])
    client.channel()
    alive = [channel["id"] for channel in client.get(CHANNELS)["entities"]]
    assert channels[0]["id"] in alive
    assert channels[1]["id"] not in alive
    assert len(alive) == 20
    for channel in channels[2:]:
        client.connect(channel)
    for channel in client.get(CHANNELS)["entities"]:
        client.connect(channel) if channel not in channels else None
    client.channel()
    said = next_frame(oldest)
    assert said["topicName"] == "v2.system.no_longer_subscribed"
    assert said["eventBody"]["reason"] == "another_channel_subscribed"
    assert said["eventBody"]["channelId"] == channels[0]["id"]
    assert closed_with(oldest) == 1001


def test_topics_are_added_replaced_and_removed(client: PublicClient) -> None:
    one, two, three = list(client.queues().values())[:3]
    channel = client.channel(topic(one))
    added = client.post(subscriptions(channel), asked(topic(two)))
    assert [entity["state"] for entity in added["entities"]] == ["Permitted"]
    listed = client.get(subscriptions(channel))["entities"]
    assert [entity["id"] for entity in listed] == [topic(one), topic(two)]
    assert client.call("PUT", subscriptions(channel), json=asked(topic(three))).status_code == 200
    assert [entity["id"] for entity in client.get(subscriptions(channel))["entities"]] == [topic(three)]
    assert client.call("DELETE", subscriptions(channel)).status_code == 204
    assert client.get(subscriptions(channel))["entities"] == []


def test_one_refused_topic_refuses_them_all_unless_errors_are_ignored(client: PublicClient) -> None:
    good = topic(next(iter(client.queues().values())))
    channel = client.channel()
    client.platform.set_faults(missing_permissions="analytics:conversationDetail:view")
    wishes = asked(
        good, "v2.detail.events.conversation.x.acd.end", "v2.users.nobody.conversations", "v2.nothing.at.all"
    )
    answer = client.call("POST", subscriptions(channel), json=wishes)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing.permissions")
    assert "v2.detail.events.conversation.x.acd.end" in answer.json()["message"]
    assert client.get(subscriptions(channel))["entities"] == [], "nothing was subscribed"
    judged = client.post(subscriptions(channel), wishes, ignoreErrors="true")["entities"]
    assert [entity["state"] for entity in judged] == ["Permitted", "Rejected", "Rejected", "Rejected"]
    assert judged[1]["missingPermissions"] == ["analytics:conversationDetail:view"]
    assert judged[2]["missingPermissions"] == ["conversation:communication:view"]
    assert "missingPermissions" not in judged[3]
    assert [entity["id"] for entity in client.get(subscriptions(channel))["entities"]] == [good]


@pytest.mark.parametrize(
    "wish",
    [
        "v2.detail.events.conversation.{id}.acd.end",
        "channel.metadata",
        "v2.system.socket_closing",
        "v2.operations.events.1",
        "v2.users.agent-0001.station",
        "v2.detail.events.conversation.x?" + "&".join(["customer.start"] * 20),
    ],
)
def test_topics_that_nobody_gets(client: PublicClient, wish: str) -> None:
    channel = client.channel()
    (judged,) = client.post(subscriptions(channel), asked(wish), ignoreErrors="true")["entities"]
    assert judged["state"] == "Rejected"
    assert judged["rejectionReason"]
    assert client.call("POST", subscriptions(channel), json=asked(wish)).status_code == 403


def test_a_thousand_topics_and_no_more(client: PublicClient) -> None:
    topics = [topic(queue) for queue in client.queues().values()]
    channel = client.channel(*topics[:999])
    client.post(subscriptions(channel), asked("v2.detail.events.conversation.x?acd.start&acd.end"))
    answer = client.call("POST", subscriptions(channel), json=asked(topics[1_000]))
    assert answer.status_code == 400
    assert len(client.get(subscriptions(channel))["entities"]) == 1_000
    client.post(subscriptions(channel), asked(topics[5]))  # it is there already


def test_topics_tell_their_transports_and_permissions(client: PublicClient) -> None:
    path = "/api/v2/notifications/availabletopics"

    def listed() -> dict[str, Any]:
        entities = client.get(path, expand="transports,requiresPermissions", includePreview="true")["entities"]
        return {entity["id"]: entity for entity in entities}

    topics = listed()
    assert sum(name.startswith("v2.detail.events.conversation.{id}.") for name in topics) == 16
    assert topics["v2.routing.queues.{id}.conversations"]["transports"] == ["Websocket"]
    detail = topics["v2.detail.events.conversation.{id}.acd.end"]
    assert "Websocket" in detail["transports"]
    assert detail["requiresPermissions"] == ["analytics:conversationDetail:view"]
    assert "description" not in detail
    client.platform.set_faults(no_detail_topics=True)
    assert "Websocket" not in listed()["v2.detail.events.conversation.{id}.acd.end"]["transports"]
    answer = client.call("POST", subscriptions(client.channel()), json=asked("v2.detail.events.conversation.x.acd.end"))
    assert answer.status_code == 403


def test_pings_are_answered_and_nonsense_too(client: PublicClient) -> None:
    socket = client.connect(client.channel())
    socket.send(json.dumps({"message": "ping"}))
    assert next_frame(socket) == {"topicName": "channel.metadata", "eventBody": {"message": "pong"}}
    socket.send("hello")
    assert next_frame(socket)["result"] == "400"


def test_topics_may_be_asked_for_over_the_socket(client: PublicClient) -> None:
    queue = next(iter(client.queues().values()))
    channel = client.channel()
    socket = client.connect(channel)
    socket.send(json.dumps({"message": "subscribe", "topics": [topic(queue)], "correlationId": "one"}))
    assert next_frame(socket) == {"result": "200", "status": "subscribed"}
    assert client.platform.notify(topic(queue), {"id": "by hand"}) == 1
    assert next_frame(socket)["eventBody"] == {"id": "by hand"}
    socket.send(json.dumps({"message": "subscribe", "topics": ["v2.nothing"], "correlationId": "two"}))
    said = next_frame(socket)
    assert (said["result"], said["status"]) == ("400", "failure")


def test_events_come_under_their_expanded_names_to_each_channel_that_asked(client: PublicClient) -> None:
    name = "v2.detail.events.conversation.x"
    one = client.connect(client.channel(f"{name}?acd.start&acd.end"))
    two = client.connect(client.channel(f"{name}.acd.end"))
    eventually(lambda: client.platform.stats()["public"]["sockets"] == 2)
    assert client.platform.notify(f"{name}.acd.start", {"n": 1}) == 1
    assert client.platform.notify(f"{name}.acd.end", {"n": 2}) == 2
    assert client.platform.notify(f"{name}.user.end", {"n": 3}) == 0
    assert [next_frame(one)["topicName"] for _ in range(2)] == [f"{name}.acd.start", f"{name}.acd.end"]
    event = next_frame(two)
    assert (event["version"], event["eventBody"]) == ("2", {"n": 2})
    assert event["metadata"]["CorrelationId"]
    eventually(lambda: pinged(one) and pinged(two) and len(client.platform.notified()) >= 3)


def test_merges_of_contacts_can_be_told_by_hand(client: PublicClient) -> None:
    name = "v2.externalcontacts.contacts.cust-1"
    socket = client.connect(client.channel(name))
    eventually(lambda: client.platform.notify(name, {"mergeOperation": {"resultingContactId": "cust-2"}}))
    assert next_frame(socket)["eventBody"]["mergeOperation"] == {"resultingContactId": "cust-2"}


def test_a_second_socket_takes_the_place_of_the_first(client: PublicClient) -> None:
    channel = client.channel(topic(client.queues()["Sales"]))
    first = client.connect(channel)
    second = client.connect(channel)
    assert closed_with(first) == 1001
    eventually(lambda: client.platform.notify(topic(client.queues()["Sales"]), {"n": 1}))
    assert next_frame(second)["eventBody"] == {"n": 1}


def test_a_socket_that_is_told_to_go_keeps_its_time(client: PublicClient) -> None:
    name = topic(client.queues()["Sales"])
    channel = client.channel(name)
    first = client.connect(channel)
    eventually(lambda: client.platform.stats()["public"]["sockets"] == 1)
    assert client.platform.act("socket_closing", grace=0.5) == 1
    assert next_frame(first)["topicName"] == "v2.system.socket_closing"
    second = client.connect(channel)
    eventually(lambda: client.platform.stats()["public"]["sockets"] == 2)
    assert client.platform.notify(name, {"n": 1}) == 1
    assert next_frame(second)["eventBody"] == {"n": 1}
    assert closed_with(first) == 1001
    assert client.platform.notify(name, {"n": 2}) == 1


@pytest.mark.parametrize("how", ["close", "tell"])
def test_a_strict_platform_ends_even_a_socket_that_was_told_to_go(client: PublicClient, how: str) -> None:
    client.platform.set_faults(one_socket=how)
    name = topic(client.queues()["Sales"])
    channel = client.channel(name)
    first = client.connect(channel)
    eventually(lambda: client.platform.stats()["public"]["sockets"] == 1)
    client.platform.act("socket_closing", grace=60)
    assert next_frame(first)["topicName"] == "v2.system.socket_closing"
    second = client.connect(channel)
    if how == "tell":
        assert next_frame(first)["eventBody"]["systemTopicType"] == "no_longer_subscribed"
    assert closed_with(first) == 1001
    assert client.platform.notify(name, {"n": 1}) == 1
    assert next_frame(second)["eventBody"] == {"n": 1}


def test_nothing_is_kept_for_a_channel_without_a_socket(client: PublicClient) -> None:
    name = topic(client.queues()["Sales"])
    channel = client.channel(name)
    assert client.platform.notify(name, {"n": 1}) == 0
    socket = client.connect(channel)
    eventually(lambda: client.platform.notify(name, {"n": 2}))
    assert next_frame(socket)["eventBody"] == {"n": 2}


def test_a_channel_expires_unless_it_is_renewed(client: PublicClient) -> None:
    client.platform.set_faults(channel_life=0.4)
    name = topic(client.queues()["Sales"])
    channel = client.channel(name)
    socket = client.connect(channel)
    client.platform.set_faults(channel_life=60)
    assert client.call("PUT", subscriptions(channel), json=asked(name)).status_code == 200
    (renewed,) = client.get(CHANNELS)["entities"]
    assert renewed["expires"] > channel["expires"]
    client.platform.set_faults(channel_life=0.4)
    assert client.call("PUT", subscriptions(channel), json=asked(name)).status_code == 200
    assert closed_with(socket) == 1001
    assert client.call("HEAD", f"{CHANNELS}/{channel['id']}").status_code == 404
    with pytest.raises(websocket.WebSocketBadStatusException, match="404"):
        client.connect(channel)


def test_a_revoked_token_ends_its_channels(client: PublicClient) -> None:
    socket = client.connect(client.channel())
    client.platform.expire_tokens()
    assert next_frame(socket)["topicName"] == "v2.system.token_revoked"
    assert closed_with(socket) == 1001


def test_faults_of_the_line_concern_notification_sockets_too(client: PublicClient) -> None:
    socket = client.connect(client.channel())
    eventually(lambda: client.platform.stats()["public"]["sockets"] == 1)
    assert client.platform.act("close", code=1013) == 1
    assert closed_with(socket) == 1013


def test_heartbeats_come_and_can_be_lost() -> None:
    with SimulatedPlatform(notification_heartbeat=0.1) as platform, PublicClient(platform) as client:
        socket = client.connect(client.channel())
        beat = {"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}}
        assert [next_frame(socket) for _ in range(3)] == [beat] * 3
        platform.set_faults(heartbeat_loss=True)
        socket.send(json.dumps({"message": "ping"}))
        assert frames(socket, lambda got: got[-1] != beat)[-1]["eventBody"] == {"message": "pong"}
        socket.settimeout(0.5)
        with pytest.raises(websocket.WebSocketTimeoutException):
            socket.recv()


def test_what_happens_in_queues_arrives_as_it_happens() -> None:
    with (
        SimulatedPlatform(rate=40.0, seed=5, notification_heartbeat=3_600) as platform,
        PublicClient(platform) as client,
    ):
        queues = client.queues()
        socket = client.connect(client.channel(*map(topic, queues.values())))
        seen = frames(socket, lambda got: len(got) >= 20)
        names = {topic(queue) for queue in queues.values()}
        for frame in seen:
            assert frame["topicName"] in names
            queue = frame["topicName"].split(".")[3]
            legs = frame["eventBody"]["participants"]
            assert queue in {leg.get("queueId") for leg in legs}
        open_ones = [
            frame["eventBody"]["id"] for frame in seen if "endTime" not in frame["eventBody"]["participants"][0]
        ]
        details = [f"v2.detail.events.conversation.{known}?{'&'.join(KINDS)}" for known in dict.fromkeys(open_ones)]
        client.post(subscriptions(client.get(CHANNELS)["entities"][0]), asked(*details))
        got = frames(socket, lambda got: any("detail" in frame["topicName"] for frame in got))
        event = got[-1]["eventBody"]
        assert event["conversationId"] in open_ones
        assert got[-1]["topicName"].startswith(f"v2.detail.events.conversation.{event['conversationId']}.")


KINDS = ("customer.end", "acd.end", "user.start", "user.end", "acw", "flow.end", "acd.start")
