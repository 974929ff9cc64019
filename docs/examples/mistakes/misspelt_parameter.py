from taskd import Action, step


class CopySite(Action, label="mistake.parameter"):
    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"

    @step
    def copy(self, dmup: str) -> str:
        return f"{dmup}.copy"
