"""Settings that are kept in the store."""

from taskd.config_file import Given
from taskd.store import settings
from taskd.store.database import Database


def test_what_was_put_is_found_until_it_is_taken_back(database: Database) -> None:
    settings.put(database.writer, "executor_slots", Given("7", "ana"))
    settings.put(database.writer, "stop_grace", Given("1m", "ben"))
    settings.put(database.writer, "executor_slots", Given("8", "ben"))
    settings.put(database.writer, "stop_grace", None)
    settings.put(database.writer, "log_limit", None)

    assert settings.find(database.writer) == {"executor_slots": Given("8", "ben")}
