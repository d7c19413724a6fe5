"""All mutants there are."""

from __future__ import annotations

from answers import ANSWERS
from dialling import DIALLING
from endings import ENDINGS
from handshakes import HANDSHAKES
from keep_alive import KEEP_ALIVE
from media import MEDIA
from mutant import Mutant
from order import ORDER
from reconnecting import RECONNECTING
from repeats import REPEATS
from shapes import SHAPES
from signatures import SIGNATURES
from validation import VALIDATION

__all__ = ["ZOO"]

ZOO: tuple[Mutant, ...] = (
    *(*VALIDATION, *SIGNATURES, *ANSWERS, *SHAPES, *ORDER),
    *(*HANDSHAKES, *KEEP_ALIVE, *REPEATS, *ENDINGS, *RECONNECTING, *MEDIA, *DIALLING),
)
