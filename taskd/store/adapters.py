"""How values that are no plain numbers or texts are stored: to be imported where many are.

The module sqlite3 asks around for each of them, which takes longer than to store it, unless it was
told before.
"""

import operator
import sqlite3

from taskd.model.step import Rescue, StepKind, StepState
from taskd.model.task import ExecutionType, OnConflict, Result, State

sqlite3.register_adapter(type(None), lambda none: none)
sqlite3.register_adapter(bool, operator.pos)
for kind in (State, Result, ExecutionType, OnConflict, StepKind, StepState, Rescue):
    sqlite3.register_adapter(kind, operator.attrgetter("_value_"))
