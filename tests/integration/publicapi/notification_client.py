"""Run as a program: the package `genesys-notifications` on the channel given, saying in JSON what arrives on it.

The package is of Python 3.10, whose `asyncio.wait` made tasks of coroutines; later ones refuse them. What is given back
to it here is that, and nothing of its own is touched.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Iterable
from typing import Any

wait_for_tasks = asyncio.wait


async def wait(awaitables: Iterable[Any], **more: Any) -> Any:
    return await wait_for_tasks([asyncio.ensure_future(one) for one in awaitables], **more)


asyncio.wait = wait  # type: ignore[assignment]  # as it was in Python 3.10

from genesys_notifications import Channel  # noqa: E402  (only now)
from genesys_notifications.exceptions import ChannelExpiring, SubscriptionFailure  # noqa: E402


async def listen(uri: str, topics: list[str]) -> None:
    channel = Channel(uri, topics, logger=logging.getLogger("quiet"))
    await channel
    print(json.dumps({"connected": channel.connected}), flush=True)
    try:
        async for notification in channel:
            print(json.dumps(notification), flush=True)
    except ChannelExpiring as error:
        print(json.dumps({"expiring": error.reason.name}), flush=True)
    except SubscriptionFailure as error:
        print(json.dumps({"refused": error.message}), flush=True)
    await channel.close()


asyncio.run(listen(sys.argv[1], sys.argv[2:]))
