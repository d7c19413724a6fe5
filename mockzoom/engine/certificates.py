"""A throw-away certificate authority for `--tls`."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

__all__ = ["server_context"]


def server_context(host: str, ca_path: Path) -> ssl.SSLContext:
    """TLS for a server on `host` and on localhost; the CA's certificate is written to `ca_path`.

    The certificate names ``localhost`` as a DNS name, because the official SDK takes no other
    kind; its private key and the CA's stay in memory.
    """
    ca = trustme.CA(organization_name="mockzoom")
    names = dict.fromkeys(["localhost", "127.0.0.1", host])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    ca.cert_pem.write_to_path(str(ca_path))
    return context
