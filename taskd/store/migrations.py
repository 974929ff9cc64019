"""The schema, as the list of changes that made it.

All that a store lacks are applied in one transaction, after a copy of it was made; a store that is
newer than this program is refused. `user_version` is the number of changes applied.

Times are microseconds since 1970 in UTC; JSON is text.
"""

import contextlib
import sqlite3
from collections.abc import Callable

from sqlite_utils import Database

Migration = Callable[[Database], None]


def migrate(connection: sqlite3.Connection, first: int = 0, last: int | None = None) -> None:
    """Apply the changes from number `first` on, in the transaction at hand."""
    for migration in MIGRATIONS[first:last]:
        migration(Database(connection))


def names(connection: sqlite3.Connection) -> set[str]:
    """Of all tables, their columns, and indexes: `table tasks`, `table tasks.id`, …"""
    found = connection.execute(
        "SELECT m.type || ' ' || m.name || coalesce('.' || c.name, '')"
        " FROM sqlite_schema AS m LEFT JOIN pragma_table_xinfo(m.name) AS c"
    )
    return {name for (name,) in found}


def names_after(version: int) -> set[str]:
    """The names that a store of that schema has."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        migrate(connection, 0, version)
        return names(connection)


def create_tables(database: Database) -> None:
    for statement in _FIRST:
        database.execute(statement)


def add_sub_tasks(database: Database) -> None:
    for statement in _SUB_TASKS:
        database.execute(statement)


def add_hooks(database: Database) -> None:
    for statement in _HOOKS:
        database.execute(statement)


def add_lanes(database: Database) -> None:
    for statement in _LANES:
        database.execute(statement)


def add_search(database: Database) -> None:
    for statement in _SEARCH:
        database.execute(statement)


def add_schedule(database: Database) -> None:
    for statement in _SCHEDULE:
        database.execute(statement)


def add_waiting(database: Database) -> None:
    for statement in _WAITING:
        database.execute(statement)


def add_origin(database: Database) -> None:
    """The store in which a task began, where that is another one: it was imported."""
    database.execute("ALTER TABLE tasks ADD COLUMN origin TEXT")


MIGRATIONS: tuple[Migration, ...] = (
    create_tables,
    add_sub_tasks,
    add_hooks,
    add_lanes,
    add_waiting,
    add_search,
    add_schedule,
    add_origin,
)

_FIRST = (
    """CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID""",
    """INSERT INTO meta VALUES ('store', lower(hex(randomblob(16)))), ('version', 0)""",
    # An id is never given again, so that a deleted task is never mistaken for another one.
    """CREATE TABLE tasks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        name TEXT NOT NULL,
        folded_name TEXT NOT NULL,
        state TEXT NOT NULL,
        result TEXT NOT NULL,
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        execution_type TEXT NOT NULL,
        type TEXT NOT NULL,
        priority INTEGER NOT NULL,
        key TEXT,
        created_at INTEGER NOT NULL,
        start_at INTEGER NOT NULL,
        start_before INTEGER,
        started_at INTEGER,
        ended_at INTEGER,
        state_updated_at INTEGER NOT NULL,
        progress REAL NOT NULL,
        parent_task_id INTEGER REFERENCES tasks(id) ON DELETE CASCADE,
        recurring_logic_id INTEGER,
        external_id TEXT,
        version INTEGER NOT NULL,
        needed_help INTEGER NOT NULL,
        cancelling INTEGER NOT NULL,
        resumable INTEGER NOT NULL,
        on_conflict TEXT NOT NULL,
        wanted_locks TEXT,
        flow TEXT,
        input TEXT NOT NULL,
        output TEXT,
        definition TEXT
    )""",
    """CREATE UNIQUE INDEX tasks_key ON tasks(uid, key) WHERE key IS NOT NULL""",
    """CREATE INDEX tasks_unfinished ON tasks(state) WHERE state <> 'stopped'""",
    """CREATE INDEX tasks_children ON tasks(parent_task_id) WHERE parent_task_id IS NOT NULL""",
    """CREATE TABLE steps (
        task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        state TEXT NOT NULL,
        needs TEXT,
        weight REAL NOT NULL,
        progress REAL NOT NULL,
        note TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        interruptions INTEGER NOT NULL,
        started_at INTEGER,
        ended_at INTEGER,
        due_at INTEGER,
        call_id INTEGER,
        ready INTEGER NOT NULL,
        rescue TEXT,
        priority INTEGER NOT NULL,
        output TEXT,
        error TEXT,
        kept TEXT,
        PRIMARY KEY (task_id, number)
    ) WITHOUT ROWID""",
    # The store is the queue: these answer what may start and what is due.
    """CREATE INDEX steps_ready ON steps(priority DESC, task_id, number) WHERE ready = 1""",
    """CREATE INDEX steps_due ON steps(due_at) WHERE due_at IS NOT NULL""",
    # A lock is taken when it is asked for; the task that it belongs to may be written after it.
    """CREATE TABLE locks (
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        resource TEXT NOT NULL,
        operation TEXT NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (resource, operation, task_id)
    ) WITHOUT ROWID""",
    """CREATE INDEX locks_of_task ON locks(task_id)""",
    """CREATE TABLE links (
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        resource TEXT NOT NULL,
        PRIMARY KEY (task_id, resource)
    ) WITHOUT ROWID""",
    """CREATE INDEX links_of_resource ON links(resource)""",
    """CREATE TABLE history (
        task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
        version INTEGER NOT NULL,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        event TEXT NOT NULL,
        who TEXT NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (task_id, version, number)
    ) WITHOUT ROWID""",
)

_SUB_TASKS = (
    # How many sub-tasks of a step may run at a time, and until when it waits for them. Rows of
    # tasks may be written after these.
    """CREATE TABLE delegations (
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        step INTEGER NOT NULL,
        concurrency INTEGER,
        deadline INTEGER,
        PRIMARY KEY (task_id, step)
    ) WITHOUT ROWID""",
    # Those that stand for a step now: one that is started anew takes the place of the one before.
    """CREATE TABLE children (
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        step INTEGER NOT NULL,
        position INTEGER NOT NULL,
        child_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        PRIMARY KEY (task_id, step, position)
    ) WITHOUT ROWID""",
    """CREATE INDEX children_of ON children(child_id)""",
)

_HOOKS = (
    # Those that are still to be called.
    """CREATE TABLE hooks (
        id INTEGER PRIMARY KEY,
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        hook TEXT NOT NULL
    )""",
    # What authors say of the input, output and error of a task.
    """CREATE TABLE descriptions (
        task_id INTEGER NOT NULL REFERENCES tasks(id) ON DELETE CASCADE,
        what TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (task_id, what)
    ) WITHOUT ROWID""",
)

_LANES = (
    """INSERT INTO meta VALUES ('lanes', '{}')""",
    # `ready` is 1 in the common lane, and higher in those of labels, which have their own index.
    """CREATE INDEX steps_ready_of_label ON steps(ready, priority DESC, task_id, number)
        WHERE ready > 1""",
)

_WAITING = (
    # Who waits for a lock, each resource's in the order in which they get it. `rank` is the
    # priority with its sign changed; `kin` see `taskd.store.waiting`.
    """CREATE TABLE waiting (
        resource TEXT NOT NULL,
        rank INTEGER NOT NULL,
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        operation TEXT NOT NULL,
        since INTEGER NOT NULL,
        kin INTEGER NOT NULL,
        PRIMARY KEY (resource, rank, task_id, operation)
    ) WITHOUT ROWID""",
    """CREATE INDEX waiting_of_task ON waiting(task_id)""",
    """CREATE INDEX waiting_kin ON waiting(resource, rank, task_id) WHERE kin > 0""",
)

_SEARCH = (
    # Common questions, each with the newest first: an index ends in the id.
    """CREATE INDEX tasks_of_label ON tasks(label)""",
    """CREATE INDEX tasks_of_user ON tasks(user)""",
    """CREATE INDEX tasks_started ON tasks(started_at)""",
    # Of up to two values SQLite makes comparisons; for three it builds a table at each change.
    """CREATE INDEX tasks_bad ON tasks(result, id, started_at)
        WHERE result NOT IN ('pending', 'success')""",
    # To look through names without the long rows that they stand in.
    """CREATE INDEX tasks_names ON tasks(id, folded_name, label)""",
    """CREATE INDEX steps_failed ON steps(task_id) WHERE error IS NOT NULL""",
)

_SCHEDULE = (
    """ALTER TABLE tasks ADD COLUMN expires_at INTEGER""",
    """CREATE INDEX tasks_expiring ON tasks(expires_at) WHERE expires_at IS NOT NULL""",
    # What a task waits for, or has waited for; if `strict`, an error of it is one of the task.
    """CREATE TABLE prerequisites (
        task_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        before_id INTEGER NOT NULL
            REFERENCES tasks(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        strict INTEGER NOT NULL,
        PRIMARY KEY (task_id, before_id)
    ) WITHOUT ROWID""",
    """CREATE INDEX prerequisites_before ON prerequisites(before_id)""",
    """CREATE TABLE recurring_logics (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        name TEXT NOT NULL,
        cron_line TEXT NOT NULL,
        timezone TEXT NOT NULL,
        purpose TEXT,
        iteration_limit INTEGER,
        until INTEGER,
        missed TEXT NOT NULL,
        overlap TEXT NOT NULL,
        user TEXT NOT NULL,
        uid INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        input TEXT NOT NULL,
        definition TEXT,
        task_order TEXT NOT NULL,
        state TEXT NOT NULL,
        iteration INTEGER NOT NULL,
        last_occurrence INTEGER,
        next_occurrence INTEGER,
        reason TEXT NOT NULL,
        task_id INTEGER
    )""",
    """CREATE UNIQUE INDEX recurring_purpose ON recurring_logics(purpose)
        WHERE purpose IS NOT NULL AND state IN ('active', 'disabled')""",
    # The same in a row is one row, which counts.
    """CREATE TABLE recurring_events (
        logic_id INTEGER NOT NULL REFERENCES recurring_logics(id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        at INTEGER NOT NULL,
        event TEXT NOT NULL,
        who TEXT NOT NULL,
        detail TEXT NOT NULL,
        times INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        PRIMARY KEY (logic_id, number)
    ) WITHOUT ROWID""",
    """CREATE INDEX tasks_of_logic ON tasks(recurring_logic_id)
        WHERE recurring_logic_id IS NOT NULL""",
    # How many bad tasks there are since then; only those that are bad have a row in it.
    """CREATE INDEX tasks_bad_started ON tasks(result, started_at)
        WHERE result NOT IN ('pending', 'success')""",
)
