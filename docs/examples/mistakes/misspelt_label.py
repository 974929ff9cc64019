from taskd import Action, step


class TellReaders(Action, label="mistake.late", subscribes_to="mistake.outptu"):
    @step
    def tell(self) -> None: ...
