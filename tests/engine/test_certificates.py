"""The throw-away authority behind TLS."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from rig import in_loop

from mockzoom.engine.certificates import server_context


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "mock.example"])
@in_loop
async def test_whoever_trusts_the_ca_trusts_the_server(name: str, tmp_path: Path) -> None:
    """The certificate holds for this machine's names and for the host that was given."""
    context = server_context("mock.example", tmp_path / "ca.pem")

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=trust, server_hostname=name
    )
    await reader.read()
    writer.close()
    await writer.wait_closed()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.open_connection("127.0.0.1", port, ssl=True, server_hostname=name)
    server.close()
    await server.wait_closed()


def test_no_key_is_written(tmp_path: Path) -> None:
    """The file holds the authority's certificate and nothing secret."""
    server_context("127.0.0.1", tmp_path / "ca.pem")
    text = (tmp_path / "ca.pem").read_text()
    assert text.count("BEGIN CERTIFICATE") == 1
    assert "PRIVATE" not in text
    assert [path.name for path in tmp_path.iterdir()] == ["ca.pem"]
