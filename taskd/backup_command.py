"""The commands `taskd backup` and `taskd restore`."""

from datetime import UTC, datetime
from pathlib import Path

import click

from taskd.logs.files import last_id
from taskd.model.errors import AlreadyRunning, TaskdError
from taskd.options import chosen_places, with_places

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@with_places
def backup(file: Path, force: bool) -> None:
    """Write the whole store to FILE, also while the daemon is at work.

    It is read through, and there whole or not at all. Logs of steps and secrets are not part of it.
    """
    from taskd.store.backup import write  # slow to load, and only needed here

    places = chosen_places()
    try:
        contents = write(places.store, file.absolute(), force=force)
    except OSError as error:
        raise TaskdError(f"cannot write {file}: {error.strerror}") from None
    click.echo(f"wrote {file}: {_in_words(contents.tasks, contents.size)}")


@click.command()
@click.argument("file", type=FILE)
@click.option("--drain", is_flag=True, help="Let no step start until `taskctl undrain`.")
@with_places
def restore(file: Path, drain: bool) -> None:
    """Put a backup in the place of the store, which is kept aside.

    There must be no daemon. The file is read through first. What ran when the backup was made is
    an error then, for a person to judge; what waited then will start.
    """
    from taskd.daemon import own  # slow to load, and only needed here
    from taskd.store import backup as store

    places = chosen_places()
    now = datetime.now(UTC)
    drained = f"since {now:%Y-%m-%d %H:%M:%S} UTC by taskd restore" if drain else ""
    try:
        with own(places):
            used = last_id(places.logs)
            contents, aside = store.restore(
                places.store, file.resolve(), now, used=used, drained=drained
            )
    except AlreadyRunning as error:
        raise AlreadyRunning(error.message, hint="taskd stop") from None
    except OSError as error:
        raise TaskdError(f"cannot restore {file}: {error}") from None
    click.echo(f"restored {file}: {_in_words(contents.tasks, contents.size)}")
    if aside:
        click.echo(f"the old store is in {aside}")
    click.echo("taskd start" + ("; then look, and taskctl undrain" if drain else ""))


def _in_words(tasks: int, size: int) -> str:
    return f"{tasks} task{'s' * (tasks != 1)}, {size / (1 << 20):.1f} MiB"
