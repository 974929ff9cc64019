from taskd import Action, step


class CopySite(Action, label="mistake.option", cleanup_aftr="30d"):
    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"
