"""What no schedule can beat."""

import heapq
from collections.abc import Sequence


def srpt_mean_flow_s(arrival_s: Sequence[float], service_s: Sequence[float], speed: float) -> float:
    """Mean flow time under shortest-remaining-processing-time with preemption, on one server that works ``speed``
    times as fast as a GPU. Arrivals are in order; at least one."""
    total_s = 0.0
    remaining: list[tuple[float, float]] = []  # (seconds of this server, arrival)
    now_s = 0.0
    count = len(arrival_s)
    for index, arrived_s in enumerate(arrival_s):
        now_s = max(now_s, arrived_s)
        heapq.heappush(remaining, (service_s[index] / speed, arrived_s))
        until_s = arrival_s[index + 1] if index + 1 < count else float("inf")
        while remaining and now_s < until_s:
            left_s, since_s = remaining[0]
            if now_s + left_s > until_s:
                heapq.heapreplace(remaining, (left_s - (until_s - now_s), since_s))
                now_s = until_s
            else:
                heapq.heappop(remaining)
                now_s += left_s
                total_s += now_s - since_s
    return total_s / count


def lower_bound_s(arrival_s: Sequence[float], service_s: Sequence[float], gpus: int) -> float:
    """Least possible mean flow time on so many GPUs, loading left out: a task takes at least its service, and one
    server with the speed of all can do whatever they do together, for which SRPT is the best order."""
    return max(sum(service_s) / len(service_s), srpt_mean_flow_s(arrival_s, service_s, gpus))
