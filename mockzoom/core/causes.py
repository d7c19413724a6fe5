"""Why streams end: each cause by name, with the reason that the wire gives for it.

Most causes are people's or Zoom's doing and can be made to happen at any time.  The others follow
from what an app does or leaves undone on its sockets; of these the table says how to provoke them.
How the webhook of a product counts a reason is in `mockzoom.core.products`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockzoom.core.codes import StopReason
from mockzoom.core.meeting import Role
from mockzoom.core.products import CONTACT_CENTER, PRODUCTS, Product

__all__ = ["CAUSES", "Cause", "causes_of"]

_ALL = tuple(PRODUCTS.values())
_VOICE = (CONTACT_CENTER,)
_HOSTED = tuple(product for product in _ALL if product not in _VOICE)

_R = StopReason


@dataclass(frozen=True)
class Cause:
    """`what` says in a sentence what happens, and then every stream of the meeting ends.

    `leaver` is who goes before that, where somebody does, and `final` causes end the meeting as
    well.  A cause that `follows` cannot be made to happen by its name: it follows from that.
    """

    name: str
    reason: StopReason
    products: tuple[Product, ...]
    what: str
    leaver: Role | None = None
    final: bool = False
    follows: str = ""


_TABLE = (
    # --- people
    Cause("host_stops_app", _R.HOST_TRIGGERED, _HOSTED, "The host stops the app."),
    Cause("user_stops_app", _R.USER_TRIGGERED, _ALL, "The user who started the app stops it."),
    Cause(
        "app_user_leaves",
        _R.USER_LEFT,
        _HOSTED,
        "The user who started the app leaves.",
        leaver=Role.FIRST,
    ),
    Cause(
        "app_user_ejected",
        _R.USER_EJECTED,
        _HOSTED,
        "The host throws out the user who started the app.",
        leaver=Role.FIRST,
    ),
    Cause("host_disables_app", _R.HOST_DISABLED_APP, _HOSTED, "The host disables the app."),
    Cause("meeting_ends", _R.MEETING_ENDED, _ALL, "The meeting is over.", final=True),
    Cause(
        "customer_hangs_up",
        _R.CUSTOMER_DISCONNECTED,
        _VOICE,
        "The customer hangs up, which ends the call.",
        leaver=Role.FIRST,
        final=True,
    ),
    Cause(
        "agent_hangs_up",
        _R.AGENT_DISCONNECTED,
        _VOICE,
        "The agent hangs up, which ends the call.",
        leaver=Role.SECOND,
        final=True,
    ),
    # --- administration
    Cause("admin_disables_app", _R.ADMIN_DISABLED_APP, _ALL, "The account's admin disables it."),
    Cause("all_apps_disabled", _R.ALL_APPS_DISABLED, _ALL, "All apps are switched off."),
    Cause("stream_canceled", _R.STREAM_CANCELED, _ALL, "The stream is canceled."),
    Cause(
        "stream_revoked",
        _R.STREAM_REVOKED,
        _ALL,
        "Consent is withdrawn: what was recorded of the stream must be deleted at once.",
    ),
    Cause("api_stops_stream", _R.API_TRIGGERED, _ALL, "The app stops the stream by REST."),
    # --- Zoom's own troubles
    Cause("internal_exception", _R.INTERNAL_EXCEPTION, _ALL, "Something in Zoom breaks."),
    Cause(
        "instance_interrupted",
        _R.INSTANCE_CONNECTION_INTERRUPTED,
        _ALL,
        "The RTMS server loses its connection to the meeting.",
    ),
    Cause(
        "signal_interrupted",
        _R.SIGNAL_CONNECTION_INTERRUPTED,
        _ALL,
        "The RTMS server gives up on the signaling connection, with no window to return.",
    ),
    Cause(
        "signal_closed_abnormally",
        _R.SIGNAL_CONNECTION_CLOSED_ABNORMALLY,
        _ALL,
        "The signaling connection breaks on Zoom's side for good.",
    ),
    Cause(
        "data_closed_abnormally",
        _R.DATA_CONNECTION_CLOSED_ABNORMALLY,
        _ALL,
        "A media connection breaks on Zoom's side for good.",
    ),
    Cause("server_exits", _R.EXIT_SIGNAL, _ALL, "The RTMS server is told to exit."),
    Cause(
        "authentication_failure",
        _R.AUTHENTICATION_FAILURE,
        _ALL,
        "The RTMS server no longer takes the app for who it is.",
    ),
    Cause(
        "streaming_not_supported",
        _R.STREAMING_NOT_SUPPORTED,
        _VOICE,
        "The call moves to where it cannot be streamed.",
    ),
    # --- what follows from the wire
    Cause(
        "connection_timeout",
        _R.CONNECTION_TIMEOUT,
        _ALL,
        "The app never came.",
        follows="no signaling handshake is accepted within connect_window_ms of the start",
    ),
    Cause(
        "reconnection_timeout",
        _R.AWAIT_RECONNECTION_TIMEOUT,
        _ALL,
        "The app lost its signaling socket and did not come back.",
        follows="its signaling socket closes, and none follows within signaling_window_ms",
    ),
    Cause(
        "keep_alive_timeout",
        _R.KEEP_ALIVE_TIMEOUT,
        _ALL,
        "The app fell silent and did not come back.",
        follows="keep-alives on signaling stay unanswered, and signaling_window_ms pass after that",
    ),
    Cause(
        "media_timeout",
        _R.DATA_CONNECTION_INTERRUPTED,
        _ALL,
        "The app lost a media socket and did not come back for it.",
        follows="a media socket closes, and none follows within media_window_ms",
    ),
    Cause(
        "app_closes_stream",
        _R.RECEIVER_REQUEST_CLOSE,
        _ALL,
        "The app asks for the end.",
        follows="the app sends STREAM_CLOSE_REQ",
    ),
)

CAUSES: Mapping[str, Cause] = {cause.name: cause for cause in _TABLE}


def causes_of(product: Product) -> dict[str, Cause]:
    """Those that a meeting of `product` knows, by name."""
    return {name: cause for name, cause in CAUSES.items() if product in cause.products}
