from taskd import Action, step


class CopySite(Action, label="mistake.last"):
    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"

    def copy(self, dump: str) -> str:
        return f"{dump}.copy"
