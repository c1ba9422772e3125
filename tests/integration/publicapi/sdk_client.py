"""Run as a program: the platform's own Python SDK against the address given, saying in JSON what it saw.

A process of its own, because importing the SDK starts threads that watch a file in the home directory. Its arguments:
the platform's address, client id and secret, the authority's certificate, a file with bodies to be read by the SDK's
models, as a list of [model, body], and an interval that conversations are asked of.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import PureCloudPlatformClientV2 as Sdk
import websocket
from PureCloudPlatformClientV2.rest import ApiException

host, client_id, secret, authority, bodies, interval = sys.argv[1:]
Sdk.configuration.host = host
Sdk.configuration.ssl_ca_cert = authority
api = Sdk.api_client.ApiClient(host=host)
seen: dict[str, Any] = {}


class Body(NamedTuple):
    """A body as the SDK's reader of answers takes it."""

    data: str

    def getheader(self, _: str) -> str:
        return "application/json"


def outdated(value: Any, path: str = "") -> list[str]:
    """Where the SDK met a value that its models do not know."""
    match value:
        case dict():
            return [found for name, part in value.items() for found in outdated(part, f"{path}.{name}")]
        case list():
            return [found for part in value for found in outdated(part, path)]
    return [path] if value == "outdated_sdk_version" else []


def lost(given: Any, kept: Any, path: str = "") -> list[str]:
    """What of a body the SDK's models have no place for."""
    match given, kept:
        case dict(), dict():
            gone = [f"{path}.{name}" for name in given if kept.get(name) is None]
            return gone + [
                one for name in given if name in kept for one in lost(given[name], kept[name], f"{path}.{name}")
            ]
        case list(), list():
            return [one for mine, theirs in zip(given, kept, strict=True) for one in lost(mine, theirs, path)]
    return []


def refusal(name: str, password: str) -> list[Any]:
    try:
        Sdk.api_client.ApiClient(host=host).get_client_credentials_token(name, password)
    except ApiException as error:
        return [error.status, json.loads(error.body)["description"]]
    return []


seen["refusals"] = [refusal("nobody", secret), refusal(client_id, "wrong")]
api.get_client_credentials_token(client_id, secret)
seen["token"] = bool(api.access_token)

routing, notifications = Sdk.RoutingApi(api), Sdk.NotificationsApi(api)
queues, page = {}, 1
while True:
    listed = routing.get_routing_queues(page_size=100, page_number=page)
    queues |= {queue.name: queue.id for queue in listed.entities}
    if page >= listed.page_count:
        break
    page += 1
seen["queues"] = queues
seen["queue"] = routing.get_routing_queue(queues["Sales"]).name
seen["users"] = Sdk.UsersApi(api).get_users(page_size=5).total
seen["codes"] = [code.name for code in routing.get_routing_wrapupcodes(page_size=100).entities]
seen["flows"] = [[flow.name, flow.type] for flow in Sdk.ArchitectApi(api).get_flows().entities]
try:
    routing.get_routing_queue("nowhere")
except ApiException as error:
    seen["not found"] = [error.status, json.loads(error.body)["code"]]

available = notifications.get_notifications_availabletopics(expand=["transports", "requiresPermissions"]).entities
seen["transports"] = {topic.id: topic.transports for topic in available}
channel = notifications.post_notifications_channels()
names = [f"v2.routing.queues.{queue}.conversations" for queue in queues.values()]
wishes = [Sdk.ChannelTopic() for _ in [*names, "refused"]]
for wish, name in zip(wishes, [*names, "v2.users.nobody.conversations"], strict=True):
    wish.id = name
try:
    notifications.post_notifications_channel_subscriptions(channel.id, wishes)
except ApiException as error:
    seen["refused"] = error.status
judged = notifications.put_notifications_channel_subscriptions(channel.id, wishes, ignore_errors=True).entities
seen["judged"] = sorted({topic.state for topic in judged})
seen["missing"] = judged[-1].missing_permissions
seen["subscribed"] = len(notifications.get_notifications_channel_subscriptions(channel.id).entities)
notifications.head_notifications_channel(channel.id)

socket = websocket.create_connection(channel.connect_uri, timeout=60, sslopt={"ca_certs": authority})
while not (frame := json.loads(socket.recv()))["topicName"].startswith("v2.routing"):
    pass  # a heartbeat
event = api.deserialize(Body(json.dumps(frame["eventBody"])), "QueueConversationEventTopicConversation")
seen["event"] = [frame["topicName"], event.id, [party.purpose for party in event.participants]]
socket.close()

analytics = Sdk.AnalyticsApi(api)
query = Sdk.ConversationQuery()
query.interval, query.order, query.order_by = interval, "asc", "conversationStart"
query.paging = Sdk.PagingSpec()
query.paging.page_size, query.paging.page_number = 100, 1
answer = analytics.post_analytics_conversations_details_query(query)
record = answer.conversations[0]
seen["details"] = [answer.total_hits, len(answer.conversations), record.conversation_id]
kinds = {segment.segment_type for party in record.participants for one in party.sessions for segment in one.segments}
seen["segments"] = sorted(kinds)
query.paging.page_number = 900
seen["empty page"] = analytics.post_analytics_conversations_details_query(query).conversations
seen["same"] = analytics.get_analytics_conversation_details(record.conversation_id).conversation_id
seen["conversation"] = Sdk.ConversationsApi(api).get_conversation(record.conversation_id).id
activity = Sdk.ConversationActivityQuery()
activity.group_by = ["mediaType"]
activity.metrics = [Sdk.ConversationActivityQueryMetric()]
activity.metrics[0].metric, activity.metrics[0].details = "oInteracting", True
results = analytics.post_analytics_conversations_activity_query(activity).results
seen["activity"] = [[result.data[0].count, len(result.entities)] for result in results]
job = analytics.post_analytics_conversations_details_jobs({"interval": interval, "orderBy": "conversationStart"})
while (state := analytics.get_analytics_conversations_details_job(job.job_id).state) in ("QUEUED", "PENDING"):
    time.sleep(0.05)
results = analytics.get_analytics_conversations_details_job_results(job.job_id, page_size=50)
seen["job"] = [state, len(results.conversations), results.conversations[0].participants[0].attributes is not None]

read = []
for model, body in json.loads(Path(bodies).read_text(encoding="utf-8")):
    kept = api.sanitize_for_serialization(api.deserialize(Body(json.dumps(body)), model))
    read.append([model, sorted(set(outdated(kept) + lost(body, kept)))])
seen["models"] = read
print(json.dumps(seen))
sys.stdout.flush()
