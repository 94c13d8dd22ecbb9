"""`python -m tests.integration.farm.clear ADDRESS NAMESPACE`: end every actor of a namespace, made or still waiting."""

import sys

import ray

from farm.cluster import connect

if __name__ == "__main__":
    connect(sys.argv[1], sys.argv[2])
    for name in ray.util.list_named_actors():
        ray.kill(ray.get_actor(name))
