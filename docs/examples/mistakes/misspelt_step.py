from taskd import Action, sequence, step
from taskd.model.task import Flow


class CopySite(Action, label="mistake.step"):
    def plan(self) -> Flow:
        return sequence(self.dmup)

    @step
    def dump(self) -> str:
        return "/tmp/dump.sql"
