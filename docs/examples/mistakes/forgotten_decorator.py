from taskd import Action, step


class CopySite(Action, label="mistake.decorator"):
    def dump(self) -> str:
        return "/tmp/dump.sql"

    @step
    def copy(self, dump: str) -> str:
        return f"{dump}.copy"
