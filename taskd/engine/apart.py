"""Changes of the director's own that are not to suffer from each other."""

import logging
from collections.abc import Callable

from taskd.store.database import Lost
from taskd.store.transaction import Transaction

log = logging.getLogger(__name__)


def apart(tx: Transaction, what: str, function: Callable[[], object]) -> bool:
    """`function` as a change of its own: a mistake of ours in it keeps no other from going on.

    Whether there was none.
    """
    tx.begin_change()
    try:
        function()
    except Lost:
        raise
    except Exception:  # it is logged, and the others go on
        log.exception("cannot %s", what)
        tx.undo_change()
        return False
    tx.end_change()
    return True
