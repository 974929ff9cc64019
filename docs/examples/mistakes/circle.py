from taskd import Action, step


class CopySite(Action, label="mistake.one", subscribes_to="mistake.two"):
    @step
    def copy(self) -> None: ...


class MoveSite(Action, label="mistake.two", subscribes_to="mistake.one"):
    @step
    def move(self) -> None: ...
