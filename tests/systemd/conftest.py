"""One lab for all tests that run in this process, and a user of it for each."""

from collections.abc import Iterator

import lab as labs
import pytest
from account import User

WHY_NOT = labs.why_not()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where many processes run tests, one of them has the lab."""
    for item in items:
        if "lab" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("lab"))
            if WHY_NOT:
                item.add_marker(pytest.mark.skip(WHY_NOT))


@pytest.fixture(scope="session")
def lab() -> Iterator[labs.Lab]:
    one = labs.Lab()
    yield one
    one.close()


@pytest.fixture
def user(lab: labs.Lab) -> Iterator[User]:
    one = User(lab)
    yield one
    one.leave()


@pytest.fixture
def service(user: User) -> User:
    """A user who has installed the service."""
    user.taskd("service", "install", "--user")
    return user
