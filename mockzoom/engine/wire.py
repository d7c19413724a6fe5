"""The sockets of one stream, by their numbers."""

from __future__ import annotations

from functools import partial

from picows import WSTransport

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.faults import CloseFrame, CutFault
from mockzoom.core.messages import Message
from mockzoom.engine.journal import Journal
from mockzoom.engine.line import Line
from mockzoom.engine.pacer import Pacer

__all__ = ["Wire"]


class Wire:
    """Belongs to the loop's thread.  An app that is asked something has `patience_ms` to answer."""

    def __init__(
        self,
        stream: str,
        *,
        patience_ms: int,
        clock: Clock,
        pacer: Pacer,
        journal: Journal,
        faults: Faults,
    ) -> None:
        self._stream = stream
        self._journal = journal
        self._line = partial(
            Line, stream, patience_ms=patience_ms, clock=clock, pacer=pacer, faults=faults
        )
        self._lines: dict[int, Line] = {}

    def attach(self, conn: int, key: str, transport: WSTransport) -> None:
        overrun = partial(self._overrun, conn)
        self._lines[conn] = self._line(key, transport, overrun=overrun)

    def detach(self, conn: int) -> None:
        line = self._lines.pop(conn, None)
        if line is not None:
            line.leave()

    # --- messages -----------------------------------------------------------------------------

    def hears(self, conn: int, message: Message) -> bool:
        """Whether `message`, which the app sent on `conn`, gets through."""
        line = self._lines.get(conn)
        return line is None or line.hears(message)

    def spares_keep_alive(self, conn: int) -> bool:
        """Whether the keep-alive that is due now is left out on `conn`."""
        line = self._lines.get(conn)
        return line is not None and line.spares_keep_alive()

    def disturbed(self, conn: int | None) -> bool:
        """Whether faults keep the app from hearing or being heard on `conn`; None is any socket.

        It is over when a message of the app is heard again.
        """
        lines = self._lines.items()
        return any(line.disturbed for number, line in lines if conn in (None, number))

    def send(self, conn: int, message: Message) -> None:
        line = self._lines.get(conn)
        if line is not None:
            line.send(message)

    def line(self, conn: int) -> Line:
        """The socket `conn`, which is there."""
        return self._lines[conn]

    async def read(self, conn: int) -> None:
        """Wait until the app has read what was sent on `conn`."""
        line = self._lines.get(conn)
        if line is not None:
            await line.read()

    # --- ends ---------------------------------------------------------------------------------

    def cut(self, fault: CutFault) -> None:
        """Close or reset the sockets that `fault` concerns."""
        concerned = [
            conn for conn, line in self._lines.items() if fault.concerns(self._stream, line.key)
        ]
        for conn in concerned:
            if isinstance(fault, CloseFrame):
                self.close(conn, fault.code, "fault")
            else:
                self.drop(conn)

    def close(self, conn: int, code: int, reason: str) -> None:
        """A close frame and the end of the connection; what is held back never comes."""
        line = self._lines.pop(conn, None)
        if line is not None:
            line.close(code, reason)

    def drop(self, conn: int) -> None:
        """The end of the connection with no close frame: a reset, where the platform has one."""
        line = self._lines.pop(conn, None)
        if line is not None:
            line.drop()

    def drop_all(self) -> None:
        for conn in list(self._lines):
            self.drop(conn)

    def _overrun(self, conn: int) -> None:
        self._journal.add("socket", self._stream, conn=conn, happened="cut: too much held back")
        self.drop(conn)
