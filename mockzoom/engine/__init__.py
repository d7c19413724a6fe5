"""Time, network and bytes: what carries out the core's decisions, on one asyncio loop."""
