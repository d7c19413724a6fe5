"""Ids that look like Zoom's, from a seed.

A method is named after the field whose value it makes, so that a field which a document adds gets
a realistic value as soon as its name is known here, and any plausible value until then.  Shapes are
those of the vendor's published examples.

What is no id comes from Faker, out of the same random numbers.  It is loaded when the first such
value is asked for: that takes longer than many events, and those of our own document need none.
"""

from __future__ import annotations

import string
from base64 import b64encode
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faker import Faker

__all__ = ["ZoomIds", "faker_on"]

_URL_SAFE = string.ascii_letters + string.digits + "-_"


class ZoomIds:
    """Every value comes from `random`; without a seed they differ in every run."""

    def __init__(self, seed: int | None = None) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable chance is what a seed is for

    def meeting_uuid(self) -> str:
        """Base64 of 16 bytes, so it may hold `/` and `+`."""
        return b64encode(self.random.randbytes(16)).decode()

    def webinar_uuid(self) -> str:
        return self.meeting_uuid()

    def session_id(self) -> str:
        return self.meeting_uuid()

    def engagement_id(self) -> str:
        return self._url_safe(22)

    def meeting_id(self) -> int:
        """9 to 11 digits."""
        return self.random.randint(100_000_000, 99_999_999_999)

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
        return 16_778_240 + 1024 * self.random.randint(0, 100_000)

    def user_name(self) -> str:
        return str(self._faker.first_name())

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

    @cached_property
    def _faker(self) -> Faker:
        return faker_on(self.random)

    def _url_safe(self, length: int) -> str:
        return self._of(_URL_SAFE, length)

    def _of(self, alphabet: str, length: int) -> str:
        return "".join(self.random.choices(alphabet, k=length))


def faker_on(random: Random) -> Faker:
    """A Faker that draws from `random`."""
    from faker import Faker, Generator

    generator = Generator()
    generator.random = random
    return Faker(generator=generator)
