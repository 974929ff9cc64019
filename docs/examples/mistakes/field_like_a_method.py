from taskd import Action, step


class CopySite(Action, label="mistake.field"):
    title: str

    @step
    def dump(self) -> str:
        return f"/tmp/{self.title}.sql"
