"""Ids that look like Zoom's, from a seeded Faker.

A method is named after the field whose value it makes, so that a field which a document adds gets
a realistic value as soon as its name is known here, and any plausible value until then.  Shapes are
those of the vendor's published examples.
"""

from __future__ import annotations

import string
from base64 import b64encode

from faker import Faker
from faker.providers import BaseProvider

__all__ = ["ZoomIds", "zoom_faker"]

_URL_SAFE = string.ascii_letters + string.digits + "-_"


class ZoomIds(BaseProvider):
    """A Faker provider; every value comes from the generator's own random numbers."""

    __provider__ = "zoom_ids"

    def meeting_uuid(self) -> str:
        """Base64 of 16 bytes, so it may hold `/` and `+`."""
        return b64encode(self.generator.random.randbytes(16)).decode()

    def webinar_uuid(self) -> str:
        return self.meeting_uuid()

    def session_id(self) -> str:
        return self.meeting_uuid()

    def engagement_id(self) -> str:
        return self._url_safe(22)

    def meeting_id(self) -> int:
        """9 to 11 digits."""
        return int(self.generator.random.randint(100_000_000, 99_999_999_999))

    def webinar_id(self) -> int:
        return self.meeting_id()

    def session_key(self) -> str:
        """12 capital letters and digits: what apps tend to choose."""
        return self._of(string.ascii_uppercase + string.digits, 12)

    def rtms_stream_id(self) -> str:
        """32 hexadecimal digits."""
        return self._of("0123456789abcdef", 32)

    def rtms_session_id(self) -> str:
        return self._url_safe(22)

    def account_id(self) -> str:
        return self._url_safe(22)

    def operator_id(self) -> str:
        """A user: 22 URL-safe characters."""
        return self._url_safe(22)

    def user_id(self) -> int:
        """A participant: their numbers are far apart and fit into 32 bits."""
        return 16_778_240 + 1024 * int(self.generator.random.randint(0, 100_000))

    def user_name(self) -> str:
        return str(self.generator.first_name())

    def server_urls(self) -> str:
        """One URL on a host that does not exist: whoever runs a server overrides it."""
        return f"wss://rtms-{self._of(string.ascii_lowercase, 4)}.example.com:443"

    def call_id(self) -> str:
        """A call of Zoom Phone."""
        return self._of(string.digits, 19)

    def client_id(self) -> str:
        return self._url_safe(22)

    def client_secret(self) -> str:
        return self._url_safe(32)

    def subscription_id(self) -> str:
        return self._url_safe(22)

    def secret_token(self) -> str:
        """The key of webhook signatures."""
        return self._url_safe(22)

    def _url_safe(self, length: int) -> str:
        return self._of(_URL_SAFE, length)

    def _of(self, alphabet: str, length: int) -> str:
        return "".join(self.generator.random.choices(alphabet, k=length))


def zoom_faker(seed: int | None = None) -> Faker:
    """A Faker of its own, with Zoom's ids; without a seed its values differ in every run."""
    faker = Faker()
    faker.add_provider(ZoomIds)
    faker.seed_instance(seed)
    return faker
