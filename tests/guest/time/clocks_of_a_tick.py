"""Clocks of every kind: which there are, how fine they are, and what the coarse ones show."""

import os
import time

REALTIME_COARSE, MONOTONIC_COARSE = 5, 6
TICKS = (10_000_000, 4_000_000, 3_333_333, 1_000_000)


def ns_of(seconds):
    return round(seconds * 10**9)


def show_resolutions():
    for name, clock in (
        ("realtime", time.CLOCK_REALTIME),
        ("monotonic", time.CLOCK_MONOTONIC),
        ("process", time.CLOCK_PROCESS_CPUTIME_ID),
        ("thread", time.CLOCK_THREAD_CPUTIME_ID),
        ("raw", time.CLOCK_MONOTONIC_RAW),
        ("boottime", time.CLOCK_BOOTTIME),
        ("tai", time.CLOCK_TAI),
    ):
        print(name, ns_of(time.clock_getres(clock)), time.clock_gettime_ns(clock) > 0)
    for clock in (10, 99):
        try:
            print(time.clock_getres(clock))
        except OSError as error:
            print(clock, error.strerror)


def show_coarse():
    tick = ns_of(time.clock_getres(MONOTONIC_COARSE))
    print(tick in TICKS, ns_of(time.clock_getres(REALTIME_COARSE)) == tick)
    for coarse, fine in ((MONOTONIC_COARSE, 1), (REALTIME_COARSE, 0)):
        seen = {}
        behind = True
        for _ in range(2000):
            before = time.clock_gettime_ns(coarse)
            seen[before] = None
            behind = behind and before <= time.clock_gettime_ns(fine)
        values = list(seen)
        steps = [values[place + 1] - values[place] for place in range(len(values) - 1)]
        print(behind, len(values) < 2000, all(step > tick // 2 for step in steps))


def show_times():
    before = time.clock_gettime_ns(MONOTONIC_COARSE)
    first = os.times().elapsed
    time.sleep(0.05)
    later = os.times().elapsed
    slept = time.clock_gettime_ns(MONOTONIC_COARSE) - before
    print(later - first >= 0.03, slept >= 44_000_000)
    print(round(first * 100) == first * 100 or abs(round(first * 100) - first * 100) < 0.01)


show_resolutions()
show_coarse()
show_times()
