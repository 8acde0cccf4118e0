"""``machine.noise``: interrupts and a hypervisor that take time from the CPUs."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from cluster.config.errors import KeyPath
from cluster.config.model import Model
from cluster.config.quantities import SECOND_NS, Duration, OneOf
from kernel.machine import NoiseSpec

Finding = tuple[KeyPath, str]  # below machine.noise: what is wrong

MOST_PERCENT: Final = 50  # of a CPU that noise may take


class Source(Model):
    """One kind of noise: on every CPU of its own, whatever runs there."""

    every: Annotated[int, Duration(1_000, 3600 * SECOND_NS, "Time from one to the next.")]
    length: Annotated[int, Duration(1, SECOND_NS, "What each takes.")]
    arrivals: Annotated[
        str,
        OneOf("periodic", "exponential"),
        Field(description="exponential: every is the mean, and they come independently."),
    ] = "periodic"
    lengths: Annotated[
        str, OneOf("fixed", "exponential"), Field(description="exponential: length is the mean.")
    ] = "fixed"
    cpus: Annotated[
        list[Annotated[int, Field(ge=0, le=4095)]],
        Field(max_length=4096, description="CPUs that it strikes; by default all."),
    ] = Field(default_factory=list)


class Noise(Model):
    """What takes time from the CPUs though no task asks for it, by kind; none by default."""

    irq: Annotated[Source | None, Field(description="Interrupts of devices.")] = None
    softirq: Annotated[Source | None, Field(description="What they leave for later.")] = None
    steal: Annotated[
        Source | None, Field(description="Of a virtual machine: its host runs something else.")
    ] = None

    def sources(self) -> dict[str, Source]:
        """Return those that are configured, by kind."""
        named = {"irq": self.irq, "softirq": self.softirq, "steal": self.steal}
        return {kind: source for kind, source in named.items() if source is not None}


def wrong_noise(noise: Noise, cpus: int) -> Iterator[Finding]:
    """Yield what is wrong with the noise of a machine with so many CPUs."""
    sources = noise.sources()
    for kind, source in sources.items():
        for place, cpu in enumerate(source.cpus):
            if cpu >= cpus:
                yield (kind, "cpus", place), f"must be below {cpus}, machine.cpus (got {cpu})"
    takes = sum(source.length * 100 / source.every for source in sources.values())
    if takes > MOST_PERCENT:
        what = f"must take at most {MOST_PERCENT} % of a CPU (takes {takes:.4g} % in all)"
        yield (), what


def noise_specs(noise: Noise | None) -> tuple[NoiseSpec, ...]:
    """Return noise as ``MachineSpec`` has it."""
    if noise is None:
        return ()
    return tuple(
        NoiseSpec(
            kind,
            source.every,
            source.length,
            source.arrivals == "exponential",
            source.lengths == "exponential",
            tuple(sorted(set(source.cpus))),
        )
        for kind, source in noise.sources().items()
    )
