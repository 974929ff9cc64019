from taskd import Action, step


class CopySite(Action, label="mistake.label"):
    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"


class MoveSite(Action, label="mistake.label"):
    @step
    def move(self) -> str:
        return "/tmp/moved.sql"
