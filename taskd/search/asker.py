"""Who asks, when and where: what `current_user`, `today` and `8am` mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType

from taskd.search.fields import TASKS, Vocabulary

SAVED: Mapping[str, str] = MappingProxyType(
    {
        "running": "state = running",
        "failed": "state = paused or result = error or result = warning",
    }
)


@dataclass(frozen=True)
class Asker:
    user: str
    uid: int
    now: datetime
    zone: tzinfo = UTC
    saved: Mapping[str, str] = field(default_factory=lambda: SAVED)  # searches by name
    vocabulary: Vocabulary = TASKS  # of what is searched

    @property
    def local(self) -> datetime:
        """Now, as the clocks around him show it."""
        return self.now.astimezone(self.zone)
