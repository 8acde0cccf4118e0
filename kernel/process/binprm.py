"""What an exec is about to start: the file, its interpreter, arguments and environment, their room.

Source: fs/exec.c (struct linux_binprm, bprm_execve, search_binary_handler), fs/binfmt_script.c.
"""

from typing import TYPE_CHECKING, Final

from kernel.errors import GuestFault, KernelError
from kernel.fs.d_path import d_path
from kernel.fs.inode import content
from kernel.fs.namei import lookup, lookup_inode, path_lookup_exec
from kernel.process.binfmt_script import BINPRM_BUF_SIZE, load_script
from kernel.process.limits import rlimit
from kernel.task import TASK_COMM_LEN, fs_of
from kernel.uapi.errno_ import E2BIG, EISDIR, ELOOP, ENOEXEC
from kernel.uapi.failure import refused
from kernel.uapi.rlimit import RLIMIT_STACK

if TYPE_CHECKING:
    from kernel.fs.inode import Inode
    from kernel.kernel import Kernel
    from kernel.machine import ImageSpec

MAX_ARG_STRLEN: Final = 32 * 4096
ARG_MAX: Final = 131072
MAX_INTERPRETERS: Final = 5
MAX_PROGRAMS: Final = 1024  # entries of Vfs.programs
PYTHON: Final = "python3"
PYTHON_PATH: Final = "/usr/bin/python3"
CANT_OPEN: Final = "python3-cant-open"

Env = tuple[tuple[str, str], ...]


class Binprm:
    """A program about to be run (``linux_binprm``)."""

    __slots__ = (
        "args",
        "argv",
        "comm",
        "env",
        "filename",
        "image",
        "inode",
        "key",
        "unbuffered",
        "words",
    )

    def __init__(self, filename: str, argv: tuple[str, ...], env: Env, inode: "Inode") -> None:
        self.filename = filename
        self.argv = argv  # what the program is given
        self.args = argv  # what is on its stack: for python3 with the options before the file
        self.env = env
        self.inode = inode  # what the address space keeps writers out of
        self.comm = filename.rsplit("/", 1)[-1][: TASK_COMM_LEN - 1]
        self.image: ImageSpec = None  # type: ignore[assignment]  # set by search_binary_handler
        self.key = ""
        self.words = 1  # how many of ``args`` name the program: its interpreter's, from #!, too
        self.unbuffered = False  # python3 -u


def prepare_exec(k: "Kernel", path: str, argv: tuple[str, ...], env: Env) -> Binprm:
    """Find the program and check everything that can be checked; raises as sys_execve.

    A program found once is found again at the price of the search, until the file tree changes:
    ``Vfs.programs`` keeps what was found for whom from where.

    Source: fs/exec.c:alloc_bprm(), bprm_stack_limits(), search_binary_handler().
    """
    task = k.current
    cred, fs = task.cred, fs_of(task)
    programs = k.vfs.programs
    key = (path, argv, env, fs.cwd, fs.root, cred.euid, cred.egid)
    found = programs.get(key)
    if found is not None and found[0].inode.i_writecount <= 0:
        k.now_ns += found[1]
        return found[0]
    started_ns = k.now_ns
    inode = path_lookup_exec(k, path)
    k.now_ns += k.costs.exec_base + k.costs.exec_per_arg * (len(argv) + len(env))
    if not argv and k.tasks.profile.exec_empty_argv_gets_name:
        argv = ("",)
    used, room = check_budget(k, path, argv, env)
    bprm = Binprm(path, argv, env, inode)
    search_binary_handler(k, bprm, room)
    # not what may depend on a script's content or on a resource limit
    if inode.image is not None and not inode.size and used <= ARG_MAX:
        if len(programs) >= MAX_PROGRAMS:
            programs.clear()
        programs[key] = (bprm, k.now_ns - started_ns)
    return bprm


def _size(text: str) -> int:
    """Return the bytes of a C string, its NUL included."""
    if text.isascii():
        return len(text) + 1
    return len(text.encode("utf-8", "surrogateescape")) + 1


def check_budget(k: "Kernel", path: str, argv: tuple[str, ...], env: Env) -> tuple[int, int]:
    """Return the bytes of arguments and environment, pointers included, and how many more fit.

    Raises:
        KernelError: E2BIG, they are too long.

    Source: fs/exec.c:bprm_stack_limits(), copy_strings().
    """
    stack = rlimit(k, k.current.signal, RLIMIT_STACK)
    limit = max(min(k.tasks.profile.exec_budget_ceiling, stack // 4), ARG_MAX)
    used = 8 * (max(len(argv), 1) + len(env)) + _size(path)
    for text in argv:
        size = _size(text)
        if size > MAX_ARG_STRLEN:
            raise KernelError(E2BIG, path)
        used += size
    for name, value in env:
        size = _size(name) + _size(value)  # NAME=VALUE: one NUL less, one "=" more
        if size > MAX_ARG_STRLEN:
            raise KernelError(E2BIG, path)
        used += size
    if used > limit:
        raise KernelError(E2BIG, path)
    return used, limit - used


def search_binary_handler(k: "Kernel", bprm: Binprm, room: int) -> None:
    """Follow ``#!`` lines to an image and set what runs.

    Args:
        room: bytes that the arguments may still grow by.

    Source: fs/exec.c:exec_binprm(), fs/binfmt_script.c:load_script().
    """
    path = bprm.filename
    inode = bprm.inode
    depth = 0
    while True:
        if depth > MAX_INTERPRETERS:
            raise KernelError(ELOOP, bprm.filename)
        if inode.image is not None and not inode.size:
            break  # an image; a guest program's file is its text, run by what its #! names
        depth += 1
        script = load_script(content(k, inode, BINPRM_BUF_SIZE))
        if script is None:
            raise KernelError(ENOEXEC, bprm.filename)
        interpreter, option = script
        words = [interpreter, option, path] if option else [interpreter, path]
        room += _size(bprm.argv[0]) - sum([_size(word) for word in words])
        if room < 0:
            raise KernelError(E2BIG, bprm.filename)
        rest = bprm.argv[1:]
        if interpreter == "/usr/bin/env" and option == PYTHON:
            bprm.argv = (PYTHON, path, *rest)
            bprm.comm = PYTHON
            bprm.words = 1
            interpreter = PYTHON_PATH
        else:
            bprm.argv = (*words, *rest)
            bprm.words += len(words) - 1
        try:
            # no name at all is the working directory here: open_exec() looks up what it is given
            inode = path_lookup_exec(k, interpreter or ".")
        except KernelError as failed:
            raise KernelError(failed.errno, bprm.filename) from None
        path = interpreter
    bprm.inode = inode
    bprm.image = inode.image
    bprm.key = inode.image.program
    bprm.args = bprm.argv
    if bprm.key == PYTHON:
        _find_guest_program(k, bprm)


def _find_guest_program(k: "Kernel", bprm: Binprm) -> None:
    """Choose the guest program that ``python3 [-u] FILE ARG…`` runs.

    Source: CPython Modules/main.c:pymain_run_file_obj().
    """
    argv = bprm.argv
    first = 1
    while first < len(argv) and argv[first] == "-u":
        first += 1
        bprm.unbuffered = True
    if first == len(argv) or argv[first].startswith("-"):
        raise GuestFault(
            refused("python3 is emulated for program files only: python3 [-u] FILE [ARG...]")
        )
    script = argv[first]
    path = script if script.startswith("/") else f"{d_path(k, fs_of(k.current).cwd)}/{script}"
    if path.startswith("//"):
        path = path[1:]
    try:
        inode = lookup_inode(k, script)
        error = EISDIR if inode.entries is not None else 0
    except KernelError as failed:
        error = failed.errno
    if error:
        bprm.key = CANT_OPEN
        # sys.executable where runpy complains, else the name it was called by
        name = PYTHON_PATH if error == EISDIR else argv[0]
        bprm.argv = (name, path, str(error))
        return
    found = lookup(k, script)
    key = f"{d_path(k, found.directory)}/{found.name}".replace("//", "/")
    if inode.image is not None:
        key = inode.image.program
    if key not in k.spec.sources:
        raise GuestFault(refused(f"{path} is not one of the program files of this run"))
    bprm.key = key
    bprm.argv = argv[first:]
