from taskd import Action, sequence, step
from taskd.model.task import Flow


class CopySite(Action, label="mistake.plan"):
    def plan(self) -> Flow:
        return sequence(self.copy)

    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"

    @step
    def copy(self, dump: str) -> str:
        return f"{dump}.copy"
