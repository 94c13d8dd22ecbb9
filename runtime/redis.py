"""Redis: progress and wake-ups, nothing that cannot be lost. Every reader also polls slowly, so losing a message
costs a moment and never work."""

import redis.asyncio

# Channels (publish / subscribe). Payloads are JSON objects.
WAKE_SCHEDULER = "reelfarm:wake:scheduler"  # {} — new or cancelled tasks were committed
WAKE_REACTIONS = "reelfarm:wake:reactions"  # {} — tasks finished and wait to be applied
EVENTS = "reelfarm:events"  # {"project_id", "seq"} — event rows up to seq were committed
PROGRESS = "reelfarm:progress"  # {"task_id", "project_id", "reaction", "context", "phase", "fraction"}


def connect(url: str) -> redis.asyncio.Redis:
    """A client with a connection pool; connections are made when first used."""
    return redis.asyncio.from_url(url, health_check_interval=15, socket_connect_timeout=2, socket_timeout=5)
