from taskd import Action, SubTasks, step


class CopySite(Action, label="mistake.itself"):
    site: str = "blog"

    @step
    def split(self) -> SubTasks:
        return SubTasks([CopySite(site=self.site)])
