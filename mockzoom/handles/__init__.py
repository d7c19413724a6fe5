"""What who uses the mock in Python holds: a world, a meeting in it, a stream of that.

The world lives on an asyncio loop's thread.  What is called here, on any other thread, runs there
and comes back with its result.
"""

from mockzoom.handles.meeting import Meeting
from mockzoom.handles.stream import Stream
from mockzoom.handles.world import World, WorldClock

__all__ = ["Meeting", "Stream", "World", "WorldClock"]
