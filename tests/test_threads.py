"""The two kinds of thread: what they run, how they end, what they leave behind."""

from __future__ import annotations

import _thread
import asyncio
import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

import pytest

from mockzoom.errors import ConfigurationError, PortInUse
from mockzoom.threads import LoopThread, WebThread, listen, wait_until


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    before = set(threading.enumerate())
    thread = LoopThread("a test loop")
    yield thread
    thread.close()
    assert set(threading.enumerate()) == before


async def for_ever(cancelled: threading.Event | None = None) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        if cancelled is not None:
            cancelled.set()


def test_what_runs_on_the_loop_returns_or_raises_here(loop: LoopThread) -> None:
    """Coroutines and plain calls run on the loop's thread, results and errors come back."""

    async def where() -> str:
        return threading.current_thread().name

    assert loop.run(where()) == "a test loop"
    assert loop.call(lambda a, b: (a + b, threading.current_thread().name), 1, 2) == (
        3,
        "a test loop",
    )
    with pytest.raises(ZeroDivisionError):
        loop.call(lambda: 1 // 0)


def test_a_call_can_be_posted(loop: LoopThread) -> None:
    """Nobody waits for what is posted; after the end it is passed over."""
    called = threading.Event()
    loop.post(called.set)
    assert called.wait(5)
    loop.close()
    loop.post(called.set)


def test_work_that_takes_too_long_is_cancelled(loop: LoopThread) -> None:
    """The caller gets a `TimeoutError`, and the work does not go on behind their back."""
    cancelled = threading.Event()
    with pytest.raises(TimeoutError):
        loop.run(for_ever(cancelled), 0.01)
    assert cancelled.wait(5)


def test_an_interrupted_caller_leaves_no_work_behind(
    loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while waiting cancels what was waited for."""

    running, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        running.set()
        await for_ever(cancelled)

    def interrupted(*_: object) -> None:
        running.wait(5)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        loop.run(work())
    assert cancelled.wait(5)
    monkeypatch.undo()


def test_ctrl_c_that_wakes_nobody_is_noticed_all_the_same(loop: LoopThread) -> None:
    """A signal may come while the main thread is about to wait, and cuts no wait short then."""
    running, finished = threading.Event(), threading.Event()

    async def work() -> None:
        running.set()
        await asyncio.sleep(5)
        finished.set()

    def interrupt() -> None:
        running.wait(5)
        _thread.interrupt_main()  # as such a signal is: a flag, and no more

    def interrupted(wait: Callable[[], object]) -> None:
        threading.Thread(target=interrupt).start()
        wait()

    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: loop.run(work()))
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: wait_until(finished))
    assert not finished.is_set()


def test_closing_ends_what_runs_and_who_waits(loop: LoopThread) -> None:
    """A thread that waits for the loop is told that it has stopped; closing twice is fine."""
    told: list[str] = []
    started = threading.Event()

    async def work() -> None:
        started.set()
        await for_ever()

    def wait() -> None:
        try:
            loop.run(work())
        except RuntimeError as error:
            told.append(str(error))

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert started.wait(5)
    loop.close()
    loop.close()
    waiting.join(5)
    assert told == ["a test loop has stopped"]
    with pytest.raises(RuntimeError, match="a test loop has stopped"):
        loop.run(for_ever())


def test_the_loop_cannot_wait_for_itself(loop: LoopThread) -> None:
    """What would hang for ever is an error."""
    with pytest.raises(RuntimeError, match="cannot wait for itself"):
        loop.call(lambda: loop.call(int))


Start = Callable[[str, list[tuple[str, str]]], object]


def hello(environ: dict[str, object], start: Start) -> Iterable[bytes]:
    start("200 OK", [("content-type", "text/plain")])
    return [b"hello"]


def a_web(port: int = 0, host: str = "127.0.0.1") -> WebThread:
    return WebThread(
        hello, name="a test web", host=host, port=port, max_body_bytes=10, option="--port"
    )


def get(port: int, host: str = "127.0.0.1", body: bytes | None = None) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("POST" if body else "GET", "/", body)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_web_app_is_served_until_it_is_closed(host: str) -> None:
    """On the port that is read back; afterwards neither port nor thread is in use."""
    before = set(threading.enumerate())
    web = a_web(host=host)
    web.start()
    assert get(web.port, host) == 200
    web.close()
    web.close()
    with pytest.raises(OSError, match="refused"):
        get(web.port, host)
    assert set(threading.enumerate()) == before


def test_a_web_app_that_was_never_started_can_be_closed() -> None:
    """It listens from the beginning, and lets go of the port and its threads all the same."""
    before = set(threading.enumerate())
    a_web().close()
    assert set(threading.enumerate()) == before


def test_a_far_too_large_body_is_refused_unread() -> None:
    """The web server itself refuses what is many times too large."""
    web = a_web()
    web.start()
    assert get(web.port, body=b"x" * 100) == 200
    assert get(web.port, body=b"x" * 1000) == 413
    web.close()


def test_requests_that_wait_for_a_thread_are_not_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log is for what somebody can do something about; on a busy machine some wait a moment."""

    class Request:
        def service(self) -> None:
            begin.wait(5)
            served.release()

    begin, served = threading.Event(), threading.Semaphore(0)
    web = a_web()
    for _ in range(20):
        web._server.task_dispatcher.add_task(Request())
    begin.set()
    assert all(served.acquire(timeout=5) for _ in range(20))
    web.close()
    assert caplog.text == ""


def test_a_port_in_use_is_one_line_and_leaves_no_thread() -> None:
    """The line names what was to listen, where, and the option."""
    before = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            PortInUse,
            match=rf"^a test web: cannot listen on 127\.0\.0\.1:{port}: Address already in use; "
            "give another --port, or 0 for any$",
        ):
            a_web(port)
    assert set(threading.enumerate()) == before


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("no such host", 0),
        ("203.0.113.1", 0),
        ("127.0.0.1", 70_000),
        ("127.0.0.1", -1),
        ("é" * 99, 0),
    ],
)
def test_where_nobody_can_listen(host: str, port: int) -> None:
    """A host or port that cannot be had is a setting that is wrong."""
    with pytest.raises(ConfigurationError, match=r"web: cannot listen on .*; give another --port$"):
        listen(host, port, "web", "--port")
