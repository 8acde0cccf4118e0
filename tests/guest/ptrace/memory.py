"""PEEKDATA and POKEDATA reach a tracee's pages: its own are unshared first, shared ones shared."""

import mmap
import os
import signal

from workloads import guest


def word_of(data):
    word = 0
    for byte in reversed(data):
        word = word << 8 | byte
    return word


def bytes_of(word):
    return bytes([word >> 8 * i & 0xFF for i in range(8)])


def main():
    private = mmap.mmap(-1, 8192, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    shared = mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    private[0:8] = b"inherit!"
    private[4092:4100] = b"acrosspg"
    shared[0:8] = b"bothsee!"
    pid = os.fork()
    if pid == 0:
        guest.ptrace(guest.PTRACE_TRACEME, 0)
        private[8:16] = b"by child"
        os.kill(os.getpid(), signal.SIGSTOP)
        os.write(1, b"child " + private[0:24] + b" " + shared[0:16] + b"\n")
        os._exit(0)
    os.waitpid(pid, 0)
    address = guest.addressof(private)
    for offset in (0, 8, 16, 4092):
        word = guest.ptrace(guest.PTRACE_PEEKDATA, pid, address + offset)
        print(offset, bytes_of(word))
    word = word_of(b"poked!!!")
    guest.ptrace(guest.PTRACE_POKEDATA, pid, address, word)
    guest.ptrace(guest.PTRACE_POKEDATA, pid, address + 16, -2)
    guest.ptrace(guest.PTRACE_POKEDATA, pid, guest.addressof(shared) + 4, word)
    print(private[0:24].replace(b"\0", b"."), shared[0:16].replace(b"\0", b"."))
    print(guest.ptrace(guest.PTRACE_PEEKTEXT, pid, address + 16))
    guest.ptrace(guest.PTRACE_POKEDATA, pid, address + 16, 0x2020202020202020)
    guest.ptrace(guest.PTRACE_POKEDATA, pid, guest.addressof(shared) + 12, 0x7979797979797979)
    guest.ptrace(guest.PTRACE_CONT, pid)
    print(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    main()
