from taskd import Action, step


class CopySite(Action, label="mistake.step_option"):
    @step(retri=3)
    def dump(self) -> str:
        return "/tmp/dump.sql"
