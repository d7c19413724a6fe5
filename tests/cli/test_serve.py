from __future__ import annotations

import json
import signal
import socket
import ssl
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mockzoom.core.signing import Credentials
from mockzoom.receiver.receiver import Receiver

FREE = ("--port", "0", "--rtms-port", "0")
TIMEOUT_S = 20


def asked(url: str, token: str | None = None) -> dict:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with urlopen(Request(url, headers=headers), timeout=TIMEOUT_S) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted(process, number):
    """One JSON line says all that an app needs; a signal ends it cleanly, with status 0."""
    with process("serve", *FREE, "--json", "--client-id", "mine") as serving:
        facts = json.loads(serving.stdout.readline())
        assert facts["client_id"] == "mine"
        assert facts["client_secret"]
        assert facts["secret_token"]
        assert facts["account_id"]
        assert facts["api_token"] is facts["ca"] is None
        assert facts["rtms_url"].startswith("ws://127.0.0.1:")
        assert asked(f"{facts['url']}/_mockzoom/health") == {"status": "ok"}
        serving.send_signal(number)
        assert serving.wait(TIMEOUT_S) == 0
        assert serving.stderr.read() == ""


def test_the_receiver_is_validated(process, tmp_path):
    """A running receiver validates at the start; one that is not there is a warning, no end."""
    credentials = Credentials("id", "client-secret", "token")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        absent = f"http://127.0.0.1:{reserved.getsockname()[1]}/webhook"
    keys = ("--client-id", "id", "--client-secret", "client-secret", "--secret-token", "token")
    with Receiver(credentials, recordings=tmp_path) as receiver:
        args = ("serve", *FREE, *keys, "--receiver", absent, "--receiver", receiver.url)
        with process(*args) as serving:
            warning, good = serving.stderr.readline(), serving.stderr.readline()
            assert serving.poll() is None
    assert warning.startswith(f"warning: receiver {absent}: ")
    assert warning.endswith("; it is tried again when an event is due\n")
    assert good == f"receiver {receiver.url} is validated\n"


def test_the_event_socket_has_the_id_that_was_chosen(process):
    """Its URL is printed, and ends with the id, so that an app can be configured once."""
    with process("serve", *FREE, "--event-socket", "my-app", "--json") as serving:
        facts = json.loads(serving.stdout.readline())
    assert facts["event_socket"] == f"{facts['rtms_url']}/ws?subscriptionId=my-app"


def test_tls_writes_the_authority(process):
    """With `--tls` the sockets are wss:// and the file that is printed vouches for them."""
    with process("serve", *FREE, "--tls", "--ca", "ca.pem", "--json") as serving:
        facts = json.loads(serving.stdout.readline())
        assert facts["ca"] == str(Path.cwd() / "ca.pem")
        scheme, _, port = facts["rtms_url"].rpartition(":")
        assert scheme == "wss://localhost"
        context = ssl.create_default_context(cafile=facts["ca"])
        with (
            socket.create_connection(("127.0.0.1", int(port)), TIMEOUT_S) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            assert secure.version() in {"TLSv1.2", "TLSv1.3"}


def test_off_loopback_the_api_wants_its_token(process):
    """Where others could come in, the control API asks for the token that was printed."""
    with process("serve", *FREE, "--host", "0.0.0.0", "--json") as serving:
        facts = json.loads(serving.stdout.readline())
        port = facts["url"].rpartition(":")[2]
        journal = f"http://127.0.0.1:{port}/_mockzoom/journal"
        assert asked(journal, facts["api_token"])["entries"] == []
        with pytest.raises(HTTPError, match="401"):
            asked(journal)


def test_prose_shows_the_same(process):
    """Without `--json` the same facts come as a small table."""
    given = ("--seed", "5", "--secret-token", "token", "--account-id", "account")
    with process("serve", *FREE, *given) as serving:
        assert serving.stdout.readline() == "mockzoom is listening; Ctrl-C ends it\n"
        table = [serving.stdout.readline() for _ in range(7)]
    assert table[0].startswith("  control API    http://127.0.0.1:")
    assert table[4:] == [
        "  secret token   token\n",
        "  account id     account\n",
        "  seed           5\n",
    ]


@pytest.mark.parametrize("option", ["--port", "--rtms-port"])
def test_a_port_in_use(cli, option):
    """Another process on the port is status 2 and a line that names port and option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = cli("serve", *FREE, option, port)
    assert ended.status == 2
    assert f"cannot listen on 127.0.0.1:{port}" in ended.err
    assert f"give another {option}" in ended.err
    assert ended.err.count("\n") == 1


def test_a_receiver_that_is_no_address(cli):
    """What is no URL cannot become one: that ends it."""
    ended = cli("serve", *FREE, "--receiver", "localhost")
    assert ended.status == 2
    assert ended.err.startswith("error: receiver 'localhost': expected an address")


def test_limits_are_options(process):
    """A connection that does not become a WebSocket in the time given is closed."""
    with process("serve", *FREE, "--json", "--upgrade-timeout-ms", "50") as serving:
        port = int(json.loads(serving.stdout.readline())["rtms_url"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as silent:
            assert silent.recv(1) == b""


def test_a_limit_of_nothing(cli):
    """What cannot be a limit is refused by the name of its option."""
    ended = cli("serve", *FREE, "--max-connections", "0")
    assert ended.status == 2
    assert "--max-connections" in ended.err


def test_delivery_timings_are_a_preset_or_a_factor(cli):
    """A mistyped preset gets the list and the nearest name."""
    ended = cli("serve", *FREE, "--delivery-timings", "fats")
    assert ended.status == 2
    assert "delivery timings: expected 'zoom' or 'fast' or a factor, found 'fats'" in ended.err


def test_the_state_outlives_the_process(process, cli):
    """While it runs nobody else gets the file; killed, it is started again with its journal."""
    args = ("serve", *FREE, "--state", "mock.state", "--journal-size", "100", "--json")
    with process(*args) as serving:
        assert json.loads(serving.stdout.readline())["url"]
        ended = cli(*args)
        assert ended.status == 2
        assert ended.err == (
            "error: state file mock.state: another process has it; end that one; "
            "or give another --state\n"
        )
        serving.kill()
        serving.wait(TIMEOUT_S)
    with process(*args) as serving:
        facts = json.loads(serving.stdout.readline())
        [entry] = asked(f"{facts['url']}/_mockzoom/journal")["entries"]
        assert entry["kind"] == "restart"
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(TIMEOUT_S) == 0


def test_a_state_file_that_is_none(cli):
    """A file of somebody else's is left alone: status 2, and a line that says so."""
    Path("notes.txt").write_text("milk, bread\n" * 100)
    ended = cli("serve", *FREE, "--state", "notes.txt")
    assert ended.status == 2
    assert ended.err == (
        "error: state file notes.txt: file is not a database; or give another --state\n"
    )
