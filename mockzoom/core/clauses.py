"""The clauses of RTMS that are watched: a stable id and a sentence each.

A `Finding` names one of these; the docs list them all.  Those of ``order`` are about the webhooks
that an app is sent (`mockzoom.core.webhook_order`), all others are for the app to keep.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CLAUSES"]

CLAUSES: Mapping[str, str] = {
    "rtms.connect": "an app connects within the window after its started webhook",
    "rtms.url": "an app dials the URLs that it was told, which are new for each stream",
    "rtms.handshake": "a socket shakes hands in time, and is closed when the answer was a refusal",
    "rtms.message": "every frame is one JSON object with an integer msg_type",
    "rtms.message-type": "an app sends only the message types that belong on the socket",
    "rtms.payload": "a message has the fields and types of the protocol",
    "rtms.stream-id": "a message names the stream whose URL it was sent to",
    "rtms.id": "a handshake carries the product's own id of what is streamed",
    "rtms.signature": "a handshake is signed with the client secret over client id, id, stream id",
    "rtms.duplicate": "a stream has one signaling connection, and one media connection a type",
    "rtms.media-without-signaling": "media sockets follow a signaling handshake",
    "rtms.media-type": "a media handshake asks for a type that the app may have, on its own URL",
    "rtms.media-params": "media parameters have values of the protocol",
    "rtms.ready-ack": "CLIENT_READY_ACK goes out in time on signaling, after a media handshake",
    "rtms.keep-alive": "each keep-alive is echoed with its timestamp before the next one",
    "rtms.subscription": "an app subscribes to known events, and never to 1 and 7",
    "rtms.session-id": "a session request names a session of the stream",
    "rtms.video-subscription": "video is asked for once, of a participant who is there",
    "rtms.reconnect": "an app reconnects after a pause and within the window",
    "webhook.validation": "an endpoint answers endpoint.url_validation with the encrypted token",
    "webhook.answer": "a webhook is answered with 200 or 204 within 3 seconds",
    "webhook.delivered": "an event is accepted before its last attempt has failed",
    "webhook.forged": "a webhook with a wrong signature, body or time is refused with a 4xx",
    "rtms.left-open": "sockets are closed once the stream has terminated",
    "events.heartbeat": "a heartbeat comes every 30 s on an event WebSocket",
    "events.message": "an app says nothing but heartbeats on an event WebSocket",
    "replay.asked": "an app that a recording is played to asks for what the recorded one asked",
    "order.started": "the first webhook of a stream is its started",
    "order.failover": "a started that comes again names new server_urls, or is the same body",
    "order.stopped": "a stream is stopped once, and nothing new follows",
    "order.stop-reason": "a stop_reason is one of the product's",
    "order.ids": "webhooks of a stream are of one product, and carry the same ids",
    "order.time": "the event_ts of a stream's webhooks never goes back",
    "order.attempts": "an event is tried a few times, with the same bytes and fresh stamps",
    "order.limited": "rtms.concurrency_limited names by a product's id what was refused, no stream",
    "order.near-limit": "rtms.concurrency_near_limit tells numbers that are near the limit",
}
