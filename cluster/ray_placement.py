"""On which hosts of a cluster the actors of a run are.

The CPU actors are dealt out in their order, neighbours together and an equal share to each host,
the kernel actor beside the first. A placement group says so to Ray: one bundle for each host, all
on different ones (STRICT_SPREAD). A bundle takes as many cores as its share of actors can use, so
that Ray gives the hosts no other work meanwhile; the actors themselves ask for nothing, or more of
them than there are cores would find no place. A cluster that can grow starts the hosts that a
group wants.

A cluster of one host, such as one that the run has started itself, needs no group.
"""

from collections.abc import Callable
from math import ceil
from time import monotonic
from typing import Any, Final

from cluster.logging_setup import get_logger
from cluster.ray_session import RayUnreachable
from cluster.ray_watch import LOOK_S, Actors

_PLACED_S: Final = 60.0  # for hosts that are there to have room
_GROWN_S: Final = 900.0  # for hosts that must be started
_SAY_S: Final = 5.0


class Placement:
    """The places of one run's actors.

    Args:
        hosts: how many hosts are wanted; None: all that are there and have cores. No more are taken
            than there are CPU actors.
        actors: how many CPU actors there are.
        look: is called while this waits, and may raise.
        fewer: take fewer hosts if there are no more, and go on if one is lost while this waits.

    Raises:
        RayUnreachable: the hosts are not to be had.
    """

    def __init__(
        self, hosts: int | None, actors: int, look: Callable[[], None], *, fewer: bool = False
    ) -> None:
        self._actors = actors
        self._group: Any = None
        while not self._place(hosts, cores_of_hosts(), look, fewer):
            get_logger().warning("a host was lost, placing the actors on those that are left")

    def _place(
        self, hosts: int | None, cores: list[int], look: Callable[[], None], fewer: bool
    ) -> bool:
        """Find places on hosts with so many cores; return False if one was lost meanwhile."""
        wanted = hosts or len(cores)
        if fewer:
            wanted = min(wanted, len(cores))
        self.hosts = max(1, min(wanted, self._actors))
        if self.hosts == 1 and (hosts is None or len(cores) <= 1):
            return True
        from ray.util import placement_group

        there = sorted(cores, reverse=True)[: self.hosts]
        enough = len(there) == self.hosts
        share = min(ceil(self._actors / self.hosts), there[-1]) if enough else 1
        self._group = placement_group([{"CPU": share}] * self.hosts, strategy="STRICT_SPREAD")
        try:
            limit_s = _PLACED_S if enough else _GROWN_S
            if self._wait(share, cores, look, limit_s, fewer):
                return True
        except BaseException:
            self.remove()
            raise
        self.remove()
        return False

    def _wait(
        self, share: int, cores: list[int], look: Callable[[], None], limit_s: float, fewer: bool
    ) -> bool:
        said, deadline = monotonic() + _SAY_S, monotonic() + limit_s
        wanted = f"{self.hosts} hosts with {share} free cores each"
        while not self._group.wait(LOOK_S):
            look()
            if fewer and len(cores_of_hosts()) < len(cores):
                return False
            if monotonic() > deadline:
                has = ", ".join(map(str, cores)) or "none"
                raise RayUnreachable(
                    f"Ray has no {wanted}, after {limit_s:.0f} s (cores of its hosts: {has})"
                )
            if monotonic() > said:
                said = deadline
                get_logger().warning(f"waiting until Ray has {wanted}")
        return True

    def host_of(self, actor: int) -> int:
        """Return the number of the host on which a CPU actor is."""
        return actor * self.hosts // self._actors

    def options(self, actor: int) -> dict[str, Any]:
        """Return what Ray is told about the place of a CPU actor; of the kernel's as of actor 0."""
        if self._group is None:
            return {}
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        return {
            "scheduling_strategy": PlacementGroupSchedulingStrategy(
                self._group, placement_group_bundle_index=self.host_of(actor)
            )
        }

    def look_where(self, actors: Actors, get: Callable[[list[Any]], list[Any]]) -> None:
        """Ask the actors where they are, and note on how many hosts.

        Args:
            actors: all of the run; they are up.
            get: returns the results of calls.
        """
        if self._group is not None:
            places = get([actor.__ray_call__.remote(_host) for actor in actors.all()])
            self.hosts = len(dict.fromkeys(places))
            get_logger().info("actors are placed", hosts=self.hosts)

    def remove(self) -> None:
        """Give the cores back; actors that are still there are killed."""
        if self._group is not None:
            from ray.util import remove_placement_group

            group, self._group = self._group, None
            remove_placement_group(group)


def cores_of_hosts() -> list[int]:
    """Return how many cores each host has that is there and has any, as they were told to Ray."""
    import ray

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    found = [int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"]]
    return [cores for cores in found if cores >= 1]


def _host(_actor: Any) -> str:
    """Return the name that Ray has for the host of an actor."""
    import ray

    name: str = ray.get_runtime_context().get_node_id()
    return name
