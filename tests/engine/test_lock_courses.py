"""Whatever course tasks take, locks are given as the rules say: families, people, crashes.

Each move is thrown with dice of its own: drawn piece by piece, courses come out much alike.
"""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from hypothesis import given, note, settings
from hypothesis import strategies as st
from lock_course import Course

from taskd.model.step import Rescue
from taskd.model.task import OnConflict

COURSES = int(os.environ.get("LOCK_COURSES", "200"))  # thousands, to look further

LOCKS = [f"site:{name}{operation}" for name in "abc" for operation in ("", "/x", "/y")]
WAIT, PAUSE, SKIP = OnConflict.WAIT, OnConflict.PAUSE, OnConflict.SKIP
ROLLS = st.binary(min_size=8, max_size=8)
NO_MOVE = bytes(8)  # what a roll that does not matter shrinks to

Move: TypeAlias = "partial[None]"


@settings(max_examples=COURSES)
@given(ROLLS, st.lists(ROLLS, min_size=30, max_size=60))
def test_locks_are_given_as_the_rules_say(roll: bytes, rolls: list[bytes]) -> None:
    actions = some_actions(Random(roll))
    note(f"actions: {actions}")
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder), actions)
        try:
            for move in [a_move(Random(roll)) for roll in rolls if roll != NO_MOVE]:
                note(f"{move.func.__name__}: {move.keywords}")
                move(course)
            course.bring_all_to_an_end()
        finally:
            course.daemon.close()


def some_actions(dice: Random) -> list[dict[str, Any]]:
    return dice.choice([several(dice, 3, 4, a_rival), several(dice, 3, 6, an_action)])


def a_rival(dice: Random) -> dict[str, Any]:
    """Families of such soon wait for each other."""
    locks = dice.choice([["site:a"], ["site:b"], ["site:c"]])
    return {"locks": locks, "on_conflict": WAIT, "flow": ["concurrence", "one", "two"]}


def an_action(dice: Random) -> dict[str, Any]:
    return {
        "locks": several(dice, 0, 2, a_lock),
        "on_conflict": dice.choice([WAIT] * 3 + [PAUSE, SKIP]),
        "singleton": dice.choice([True] + [False] * 5),
        "rescue": dice.choice(list(Rescue)),
        "planner": dice.choice(["data", "data", "host"]),
        "flow": [dice.choice(["sequence", "concurrence"]), "one", "two"],
    }


def a_lock(dice: Random) -> str:
    return dice.choice(LOCKS)


# Moves


def a_move(dice: Random) -> Move:
    return dice.choice([move for often, move in MOVES for _ in range(often)])(dice)


def an_end(dice: Random) -> Move:
    steps, wanted = several(dice, 1, 4, a_fate), several(dice, 1, 3, a_number)
    return partial(Course.end, steps=steps, wanted=wanted, how=a_way(dice))


def a_fate(dice: Random) -> tuple[int, str]:
    """Of which step, and what it is."""
    fates = ["asks"] * 6 + ["success"] * 4 + ["failure", "never ran", "interrupted"]
    return a_number(dice), dice.choice(fates)


def a_start(dice: Random) -> Move:
    return partial(Course.start, orders=several(dice, 1, 3, an_order), how=a_way(dice))


def an_order(dice: Random) -> dict[str, Any]:
    return {
        "action": a_number(dice),
        "priority": dice.choice([-1, 0, 1]),
        "on_conflict": dice.choice([None] * 4 + [WAIT, PAUSE, SKIP]),
        "locks": several(dice, 0, dice.choice([0, 2]), a_lock),
        "links": dice.choice([[], ["site:a"], ["site:b"]]),
    }


def an_unlock(dice: Random) -> Move:
    force = dice.choice([True, False])
    return partial(Course.unlock, which=a_number(dice), force=force, how=a_way(dice))


def a_while(dice: Random) -> Move:
    return partial(Course.let_pass, seconds=dice.choice([1.0, 6.0]))


def a_death(dice: Random) -> Move:
    return partial(Course.die_with_the_next_commit, fates=several(dice, 1, 4, what_is_found))


def what_is_found(dice: Random) -> str:
    return dice.choice(["runs"] * 6 + ["success", "failure", "never ran"])


def of_one(move: Callable[..., None]) -> Callable[[Random], Move]:
    return lambda dice: partial(move, which=a_number(dice), how=a_way(dice))


def a_way(dice: Random) -> str:
    """A change can be refused after it was made, and its commit can fail."""
    return dice.choice(["at once"] * 4 + ["with the next", "refused", "lost"])


def a_number(dice: Random) -> int:
    return dice.randrange(100)


def several(dice: Random, least: int, most: int, make: Callable[[Random], Any]) -> list[Any]:
    return [make(dice) for _ in range(dice.randint(least, most))]


# How often, and what.
MOVES = [
    (6, an_end),
    (3, a_start),
    (3, of_one(Course.resume)),
    (2, of_one(Course.cancel)),
    (2, an_unlock),
    (1, of_one(Course.skip)),
    (1, a_while),
    (1, a_death),
]
