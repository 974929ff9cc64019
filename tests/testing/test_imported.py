"""Which code a task in memory runs with: what was handed over, else what is imported."""

from typing import Any

import pytest

from taskd import Action, SubTasks, action, on, request, step
from taskd.model.errors import InvalidInput, NotFound
from taskd.testing import Inline


@action(label="shout")
def shout(word: str, times: int = 2) -> str:
    return word.upper() * times


class Child(Action, label="child"):
    @step
    def work(self) -> str:
        return "of this module"


class Parent(Action, label="parent"):
    child: str = "child"

    @step
    def split(self) -> SubTasks:
        return SubTasks([request(self.child)])


def an_action(label: str, output: str, module: str = "elsewhere") -> type[Action]:
    """Declared in another module."""
    names: dict[str, Any] = {"__name__": module, "label": label, "output": output}
    exec(
        "from taskd import Action, step\n"
        "class Other(Action, label=label):\n"
        "    @step\n"
        "    def work(self) -> str: return output",
        names,
    )
    other: type[Action] = names["Other"]
    return other


def output_of_child(engine: Inline, label: str = "child") -> object:
    (child,) = engine.children(engine.run(Parent(child=label)))
    return child.output


def test_action_is_run_by_its_class_function_label_or_request() -> None:
    engine = Inline()

    assert engine.run(Child()).output == "of this module"
    assert engine.run(Parent, child="child").name == "Parent"
    assert engine.run(shout, word="a").output == "AA"
    assert engine.run("shout", word="a", times=1).output == "A"
    assert engine.run(request(shout, word="b")).output == "BB"


def test_action_of_a_function_body_is_run() -> None:
    class Local(Action):
        word: str

        @step
        def speak(self) -> str:
            return self.word

    assert Inline().run(Local(word="hi")).output == "hi"


def test_wrong_input_is_refused_before_there_is_a_task() -> None:
    engine = Inline()

    with pytest.raises(InvalidInput, match="'times' must be a whole number"):
        engine.run(shout, word="a", times="many")

    assert engine.tasks == []


def test_unknown_label_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotFound, match="no action 'backup") as caught:
        Inline().run("backup.sight")

    assert caught.value.hint.startswith("import what declares 'backup.sight', or hand it over")


def test_what_is_no_action_is_refused() -> None:
    with pytest.raises(TypeError, match="is no action"):
        Inline().run(an_action, label="x")


def test_sub_task_is_of_any_module_that_is_imported() -> None:
    kept = an_action("far.away", "from afar")

    assert output_of_child(Inline(), "far.away") == "from afar"
    assert kept


def test_of_two_with_one_label_that_of_the_parents_module_is_taken() -> None:
    kept = an_action("child", "from afar")

    assert output_of_child(Inline()) == "of this module"
    assert kept


def test_what_is_handed_over_is_taken_before_all_others() -> None:
    assert output_of_child(Inline(an_action("child", "from afar"))) == "from afar"


def test_action_takes_the_place_of_another_as_edited_code_does() -> None:
    class Old(Action, label="edited"):
        @step
        def one(self) -> str:
            return "one"

        @step
        def two(self, one: str) -> str:
            raise ValueError(one)

    class New(Old, label="edited"):
        @step
        def one(self) -> str:
            raise AssertionError("it is done")

        @step
        def two(self, one: str) -> str:
            return f"{one}, two"

    engine = Inline()
    paused = engine.run(Old())
    engine.run(New())

    assert engine.resume(paused).output == "one, two"


def test_hooks_are_called_of_an_action_that_comes_late() -> None:
    called: list[str] = []

    class Late(Child, label="late"):
        @on("success")
        def tell(self) -> None:
            called.append("told")

    engine = Inline()
    engine.run(Child())
    engine.run(Late())

    assert called == ["told"]


def test_action_that_subscribes_runs_beside_the_other_once_handed_over() -> None:
    class Watch(Action, label="watch", subscribes_to="child"):
        @step
        def look(self) -> str:
            return "seen"

    engine = Inline(Watch)
    alone = Inline()

    watched = engine.run(Child())
    alone.run(Child())

    assert [child.output for child in engine.children(watched)] == ["seen"]
    assert len(alone.tasks) == 1
