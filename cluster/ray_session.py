"""Ray started, joined or found, quietly; and left behind as it was found.

Three rules. A Ray that was not named is never attached to: without an address this starts one of
its own (``address="local"``), whatever else runs on the host and whatever RAY_ADDRESS says. What
this did not start it does not stop: a cluster that was joined is only disconnected from, and a
Ray that the process had already initialised is used and left alone. And nothing Ray has to say
reaches the terminal: the engine reports in its own words.

Authentication is set explicitly, because Ray's default depends on whether some file exists. A Ray
of our own gets a token that is made for this process and never written anywhere. For a cluster
that is joined, the user's setting counts; without one, a token is used if there is one, which is
what ``ray start`` does too.
"""

import logging
import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from cluster import fast_core
from cluster.interrupt import NEVER, HeldInterrupt
from cluster.ray_watch import within

_QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # what the raylet says about dead workers would go to this process's standard output
    "RAY_DEDUP_LOGS": "1",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
}
_OBJECT_STORE_BYTES: Final = 256 << 20
_MOST_PRESTARTED: Final = 4  # worker processes that start together with Ray
_KNOCK_S: Final = 5.0
_LISTENS_S: Final = 1.0
_REFUSALS: Final = 5
_NEEDED: Final = ("gcs_server", "raylet")  # the control service, the local scheduler
_GONE_S: Final = 1.0  # for the end of a Ray whose processes died
_SHUTDOWN_S: Final = 10.0  # for Ray to end; it takes about one
_AUTH_NAMES: Final = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")

#: Ray was left half ended: whoever ends this process must not run its exit handlers.
abandoned = False

_own_token = ""  # what Ray was told stays with it, so one serves the whole process


class RayUnreachable(Exception):
    """Ray could not be started or joined; the message is one line."""


class RaySession:
    """A Ray to run actors on. A context manager that ends what it started.

    Args:
        address: ``local``, ``auto`` or ``HOST:PORT``.
        actors: how many actors are going to be made, at least about.

    Raises:
        RayUnreachable: no Ray there, or it did not start.
    """

    def __init__(self, address: str, actors: int) -> None:
        self._environment: dict[str, str | None] = {}
        self.owned = False  # this made the process's connection to Ray
        self._address = ""  # of Ray's control service
        self.gone = False  # ``problem`` found that Ray does not work any more
        self._refused = 0  # how often in a row nobody listened at the control service's address
        self._processes: dict[int, str] = {}  # of a Ray of our own: pid -> program
        self._set(_QUIET)
        # a build that is completed meanwhile is for later runs: all processes of one have one core
        self._set({fast_core.VARIABLE: fast_core.core()})
        if address == "local" and "ray" not in sys.modules:
            self._set(_auth_of_own_ray())
        import ray

        if ray.is_initialized():
            self._restore()
            return
        if self._set(_auth_of_own_ray() if address == "local" else _auth_of_cluster()):
            _read_settings_again()
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        options: dict[str, Any] = {"include_dashboard": False}
        if address == "local":
            options["num_cpus"] = max(1, min(actors, _MOST_PRESTARTED))
            options["num_gpus"] = 0
            options["object_store_memory"] = _OBJECT_STORE_BYTES
        else:
            options = {}
        # ray.init() puts a SIGTERM handler of its own in the place of the process's
        main_thread = threading.current_thread() is threading.main_thread()
        on_sigterm = signal.getsignal(signal.SIGTERM) if main_thread else None
        others = set(_children())
        try:
            _knock(address)
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                **options,
            )
        except Exception as error:
            self._give_up(others)
            raise RayUnreachable(_why(address, error)) from None
        except SystemExit:  # Ray's handler
            self._give_up(others)
            if on_sigterm is None:
                raise
            signal.signal(signal.SIGTERM, on_sigterm)
            signal.raise_signal(signal.SIGTERM)
            raise KeyboardInterrupt from None  # where the handler does nothing
        except BaseException:
            self._give_up(others)
            raise
        finally:
            if on_sigterm is not None:
                signal.signal(signal.SIGTERM, on_sigterm)
        self.owned = True
        if address == "local":
            self._processes = _children(others)

    def _give_up(self, others: set[int]) -> None:
        """End what a start that failed has started: all children but ``others``."""
        self._processes = _children(others)
        self.owned = True
        self.close()

    @staticmethod
    def cores() -> int:
        """Return how many cores Ray's hosts have together, as they were told to Ray."""
        import ray

        resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        return max(1, int(resources.get("CPU", 1)))

    def problem(self) -> str:
        """Return one line if Ray is gone; "" if it is there, or slow."""
        for pid, name in self._processes.items():
            if name in _NEEDED and not _is_alive(pid):
                self.gone = True
                return f"Ray's process {name} died"
        if not self._address:
            import ray

            self._address = ray.get_runtime_context().gcs_address
        try:
            _connect(self._address, _LISTENS_S)
            self._refused = 0
        except ConnectionError:
            self._refused += 1
            if self._refused >= _REFUSALS:  # it may be started again
                self.gone = True
                return f"Ray's control service at {self._address} is gone"
        except OSError:
            pass
        return ""

    def __enter__(self) -> "RaySession":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self, interrupt: HeldInterrupt | None = None) -> None:
        """Disconnect from Ray and stop it, if this started it.

        Args:
            interrupt: a Ctrl-C makes Ray's processes be killed instead of asked to end.
        """
        if self.owned:
            import ray

            self.owned = False
            seconds = _GONE_S if self.gone else _SHUTDOWN_S
            ended = within(seconds, ray.shutdown, interrupt or HeldInterrupt(NEVER))
            if not ended:
                _abandon(self._processes)
            _remove_semaphores(pid for pid, name in self._processes.items() if name == "raylet")
        self._restore()

    def _set(self, variables: dict[str, str]) -> bool:
        """Set environment variables that nobody has set, for this session; tell if there were any.

        Args:
            variables: names and values.
        """
        unset = [name for name in variables if name not in os.environ]
        for name, value in variables.items():
            if name not in os.environ:
                self._environment.setdefault(name, None)
                os.environ[name] = value
        return bool(unset)

    def _restore(self) -> None:
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
        self._environment.clear()


def _auth_of_own_ray() -> dict[str, str]:
    """Return the variables for a Ray of our own, unless the user has set any."""
    global _own_token
    if any(name in os.environ for name in _AUTH_NAMES):
        return {}
    _own_token = _own_token or secrets.token_hex(32)
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _own_token}


def _read_settings_again() -> None:
    """Let a Ray that was imported before see the variables as they are now.

    It reads the mode when it is imported and keeps the first token that it finds: the processes
    that it starts would have another, and refuse it (InvalidAuthToken). A program that uses smplab
    as a library may have imported Ray for its own ends.
    """
    import ray

    raylet: Any = ray._raylet  # these names are not public: a Ray without them is left alone
    if hasattr(raylet, "Config") and hasattr(raylet, "AuthenticationTokenLoader"):
        raylet.Config.initialize("")
        raylet.AuthenticationTokenLoader.instance().reset_cache()


def _auth_of_cluster() -> dict[str, str]:
    """Return the variables for a cluster that is joined, unless the user has set the mode."""
    if "RAY_AUTH_MODE" in os.environ:
        return {}
    token = "RAY_AUTH_TOKEN" in os.environ or "RAY_AUTH_TOKEN_PATH" in os.environ
    if not token:
        token = (Path.home() / ".ray" / "auth_token").exists()
    return {"RAY_AUTH_MODE": "token" if token else "disabled"}


def _knock(address: str) -> None:
    """Raise OSError if nobody listens at ``address``; Ray itself would try for minutes."""
    if address == "local":
        return
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "auto")
    if address.rpartition(":")[2].isdigit():
        _connect(address, _KNOCK_S)


def _connect(address: str, seconds: float) -> None:
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), seconds).close()


def _children(besides: Iterable[int] = ()) -> dict[int, str]:
    """Return this process's children, but some, and the programs they run, as /proc has them."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        if int(rest.split()[1]) == os.getpid():
            found[int(path.parent.name)] = name
    for pid in besides:
        found.pop(pid, None)
    return found


def _is_alive(pid: int) -> bool:
    """Return whether a process is there and not dead; True where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] not in ("Z", "X")


def _abandon(processes: Iterable[int]) -> None:
    """Kill processes of a Ray that does not end, as far as they are this process's still."""
    global abandoned
    abandoned = True
    ours = _children()
    for pid in processes:
        if pid in ours:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _remove_semaphores(raylets: Iterable[int]) -> None:
    """Remove the semaphores of channels in the object stores of these processes, which ended.

    Actors remove their own when they leave a graph; these are of actors that were killed.
    """
    for pid in raylets:
        for path in Path("/dev/shm").glob(f"sem.*{pid}-*"):
            if re.fullmatch(rf"sem\.(obj|hdr){pid}-[0-9]+", path.name):
                path.unlink(missing_ok=True)


def _why(address: str, error: Exception) -> str:
    reason = str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__
    if address == "local":
        return f"Ray could not be started: {reason}"
    return f"Ray cannot be reached at {address}: {reason}"
