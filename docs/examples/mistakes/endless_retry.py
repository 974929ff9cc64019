from taskd import Action, step


class CopySite(Action, label="mistake.retry"):
    @step(retry=1_000_000)
    def dump(self) -> str:
        return "/tmp/dump.sql"
