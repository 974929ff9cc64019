"""Who asks, when and where: what `current_user`, `today` and `8am` mean."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo


@dataclass(frozen=True)
class Asker:
    user: str
    uid: int
    now: datetime
    zone: tzinfo = UTC

    @property
    def local(self) -> datetime:
        """Now, as the clocks around him show it."""
        return self.now.astimezone(self.zone)
