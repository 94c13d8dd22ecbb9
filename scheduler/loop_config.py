"""What an operator may choose of the scheduler's loop."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoopConfig:
    """``slow_poll_s``: how often everything that waits is read anew, whatever Redis said. ``tenant_limit``: tasks
    of one tenant that run at a time on one kind of device. ``autoscales``: the cluster grows by what it is told every
    ``scale_interval_s``, and takes nodes that were idle for ``idle_node_s``."""

    lease_s: float
    poll_interval_s: float
    max_attempts: int
    cancel_grace_s: float = 10.0
    slow_poll_s: float = 1.0
    progress_interval_s: float = 1.0
    tenant_limit: int | None = None
    autoscales: bool = False
    idle_node_s: float = 300.0
    scale_interval_s: float = 5.0
