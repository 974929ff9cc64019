"""Whatever course tasks take, locks are given as the rules say: families, people, crashes."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from lock_course import Course

from taskd.model.step import Rescue
from taskd.model.task import OnConflict

COURSES = int(os.environ.get("LOCK_COURSES", "200"))  # thousands, to look further

LOCKS = st.sampled_from(
    [f"site:{name}{operation}" for name in "abc" for operation in ("", "/x", "/y")]
)
ACTIONS = st.builds(
    dict,
    locks=st.lists(LOCKS, max_size=2),
    on_conflict=st.sampled_from([OnConflict.WAIT] * 3 + [OnConflict.PAUSE, OnConflict.SKIP]),
    singleton=st.sampled_from([False] * 5 + [True]),
    rescue=st.sampled_from(Rescue),
    planner=st.sampled_from(["data", "data", "host"]),
    flow=st.sampled_from([[kind, "one", "two"] for kind in ("sequence", "concurrence")]),
)
WHICH = st.integers(0, 99)
ORDERS = st.builds(
    dict,
    action=WHICH,
    priority=st.integers(-1, 1),
    on_conflict=st.sampled_from([None] * 4 + list(OnConflict)),
    locks=st.lists(LOCKS, max_size=2),
    links=st.lists(st.sampled_from(["site:a", "site:b"]), max_size=1),
)
# A change can be refused after it was made, and its commit can fail.
HOW = st.sampled_from(["at once"] * 4 + ["with the next", "refused", "lost"])
FATES = st.sampled_from(["asks"] * 6 + ["success"] * 4 + ["failure", "never ran", "interrupted"])
FOUND = st.sampled_from(["runs"] * 6 + ["success", "failure", "never ran"])

Move = Callable[[Course], object]


def move(make: Callable[..., object], **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Move]:
    return st.builds(partial(partial, make), **drawn)


def some(strategy: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=most)


# How often, and what.
MOVES = [
    (1, move(Course.let_pass, seconds=st.sampled_from([1.0, 6.0]))),
    (6, move(Course.end, steps=some(st.tuples(WHICH, FATES), 4), wanted=some(WHICH, 3), how=HOW)),
    (3, move(Course.start, orders=some(ORDERS, 3), how=HOW)),
    (3, move(Course.resume, which=WHICH, how=HOW)),
    (1, move(Course.skip, which=WHICH, how=HOW)),
    (2, move(Course.cancel, which=WHICH, how=HOW)),
    (2, move(Course.unlock, which=WHICH, force=st.booleans(), how=HOW)),
    (1, move(Course.die_with_the_next_commit, fates=some(FOUND, 4))),
]
BY_WEIGHT = st.sampled_from([each for often, each in MOVES for _ in range(often)])
ANY = BY_WEIGHT.flatmap(lambda each: each)


@settings(max_examples=COURSES, deadline=None)
@given(st.lists(ACTIONS, min_size=3, max_size=6), st.lists(ANY, min_size=30, max_size=60))
def test_locks_are_given_as_the_rules_say(actions: list[Any], moves: list[Move]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder), actions)
        try:
            for make in moves:
                make(course)
            course.bring_all_to_an_end()
        finally:
            course.daemon.close()
