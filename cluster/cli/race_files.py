"""The records that ``smplab race`` reads, with what is wrong told."""

from typing import TYPE_CHECKING

from cluster import fast_core
from cluster.exit_codes import USAGE, CliError

if TYPE_CHECKING:
    from cluster.race.again import Record
    from cluster.race.run import Scenario


def code_hash() -> bytes:
    """Return the hash of smplab's own code that replay strings have."""
    return bytes.fromhex(fast_core.key()[:8])


def record_for(what: str, scenario: "Scenario") -> "Record":
    """Return the record that a string or a file stands for.

    Raises:
        CliError: it is none, or none of this scenario.
    """
    from cluster.race.again import read_record
    from cluster.race.run import config_hash, scenario_hash
    from cluster.race.schedule import BadSchedule

    try:
        record = read_record(what)
    except BadSchedule as error:
        raise CliError(USAGE, "replay string", str(error)) from None
    schedule = record.schedule
    if schedule.scenario != scenario_hash(scenario):
        said = "is of another program, or of other arguments or mutations, than this scenario"
        raise CliError(USAGE, "replay string", said)
    if schedule.config != config_hash(scenario):
        said = "is of another machine than this scenario (see --cpus and --model)"
        raise CliError(USAGE, "replay string", said)
    return record


def divergence_told(record: "Record", error: Exception) -> str:
    """Return how a replay diverged, and whether smplab is another than it was."""
    same = record.schedule.code == code_hash()
    return f"{error}{'' if same else ' (smplab itself is another than it was)'}"
