"""What happens in finally and except blocks on the way out decides about the status."""

import os
import sys


def replaces():
    try:
        sys.exit(1)
    finally:
        sys.exit(2)


def swallows():
    try:
        sys.exit(3)
    except SystemExit as leaving:
        return leaving.code + 1
    return 0


def breaks():
    try:
        sys.exit(5)
    finally:
        os._exit(6)


def returns():
    for _ in range(2):
        try:
            sys.exit(7)
        finally:
            return 8  # noqa: B012


def fails():
    try:
        sys.exit(9)
    finally:
        os.close(-1)


def not_an_exception():
    try:
        sys.exit(10)
    except Exception:
        return 11


def forks():
    try:
        sys.exit(12)
    finally:
        pid = os.fork()
        if pid:
            print("child", os.waitpid(pid, 0)[1] >> 8)


for function in (replaces, swallows, breaks, returns, fails, not_an_exception, forks):
    pid = os.fork()
    if pid == 0:
        os.dup2(1, 2)
        sys.exit(function())
    print(os.waitpid(pid, 0)[1] >> 8)
