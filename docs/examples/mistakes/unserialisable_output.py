from datetime import date

from taskd import Action, step


class CopySite(Action, label="mistake.output"):
    @step
    def dump(self) -> dict[str, object]:
        return {"at": date(2026, 1, 31)}
