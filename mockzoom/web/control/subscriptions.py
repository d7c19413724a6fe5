"""Subscriptions: the URLs that webhooks go to, and those that apps take events from."""

from __future__ import annotations

from typing import Any

from mockzoom.core.event_socket import SocketSubscription
from mockzoom.core.subscriptions import Subscription
from mockzoom.errors import UsageError
from mockzoom.web.control.asked import Asked
from mockzoom.web.control.told import find_stream

__all__ = ["list_subscriptions", "send_webhook", "subscribe", "unsubscribe", "unsubscribe_all"]


def list_subscriptions(asked: Asked) -> Any:
    world = asked.world
    every = [*world.deliveries.subscriptions, *world.event_sockets.subscriptions]
    return {"subscriptions": [_told(one) for one in every]}


async def subscribe(asked: Asked) -> Any:
    body, world = asked.body, asked.world
    if body["delivery"] == "websocket":
        if "url" in body:
            raise UsageError("url: of a websocket it is the mock that tells it; leave it out")
        return _told(world.subscribe_socket(body["events"], body.get("id")))
    if "url" not in body:
        raise UsageError("url: is required, unless delivery is websocket")
    if "id" in body:
        raise UsageError("id: only that of a websocket can be chosen; leave it out")
    return _told(await world.subscribe(body["url"], body["events"], validate=body["validate"]))


def send_webhook(asked: Asked) -> Any:
    body, world = asked.body, asked.world
    stream = find_stream(world, body["rtms_stream_id"]) if "rtms_stream_id" in body else None
    world.send_example(body["event"], body["fields"], stream, validate=body["validate"])
    return {}


def unsubscribe(asked: Asked, id: str) -> Any:
    return {"webhooks_lost": asked.world.unsubscribe(id)}


def unsubscribe_all(asked: Asked) -> Any:
    world = asked.world
    return {"webhooks_lost": world.deliveries.forget() + world.event_sockets.close()}


def _told(subscription: Subscription | SocketSubscription) -> dict[str, Any]:
    delivery = "http" if isinstance(subscription, Subscription) else "websocket"
    return {**subscription.as_dict(), "delivery": delivery}
