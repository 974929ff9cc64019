"""How far the wall clock is set, against one that nobody sets.

What the store keeps of a delay or a limit is a time of the wall clock, since a later daemon has to
read it. It is a length all the same: a step that sleeps ten seconds sleeps ten, whatever becomes of
the clock meanwhile. So where that was set, by a person or by NTP, the times of what is under way
are moved with it.
"""

import time

LEAST = 100_000  # microseconds, below which nothing is moved


def offset() -> int:
    """Microseconds from the start of the machine's clock to that of the wall clock."""
    return (time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)) // 1000


def was_set(before: int, now: int) -> bool:
    """Between these two offsets."""
    return abs(now - before) >= LEAST
