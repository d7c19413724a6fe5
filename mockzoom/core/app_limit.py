"""How many streams an app may run at once, and what it is told when it comes close."""

from __future__ import annotations

from dataclasses import dataclass

from mockzoom.errors import ConfigurationError

__all__ = ["LIMITED", "NEAR_LIMIT", "AppLimit"]

#: The webhooks about it: a start was refused, and the limit is close.
LIMITED = "rtms.concurrency_limited"
NEAR_LIMIT = "rtms.concurrency_near_limit"


@dataclass(frozen=True)
class AppLimit:
    """The limit of one app; the vendor's is 2,000 streams, and more than 80 % of it are close.

    `running` is always the number of streams that have started and not ended.
    """

    max_streams: int = 2_000
    near_percent: int = 80

    def __post_init__(self) -> None:
        if type(self.max_streams) is not int or self.max_streams < 1:
            raise ConfigurationError(f"max_streams: expected 1 or more, found {self.max_streams!r}")

    def admits(self, running: int) -> bool:
        """Whether one more may start."""
        return running < self.max_streams

    def is_near(self, running: int) -> bool:
        return running * 100 > self.max_streams * self.near_percent

    def as_payload(self, running: int) -> dict[str, int]:
        """The payload of `rtms.concurrency_near_limit`."""
        return {
            "concurrency_limit": self.max_streams,
            "concurrency_number": running,
            "percentage": running * 100 // self.max_streams,
        }
