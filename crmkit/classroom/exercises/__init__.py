"""The exercises, one module a lesson, loaded when first asked for."""

from importlib import import_module
from pkgutil import iter_modules

from crmkit.classroom.exercise import Exercise
from crmkit.errors import InputError, near_misses


def lessons() -> list[str]:
    """The numbers of the lessons that have exercises.

    >>> all(number[0].isdigit() for number in lessons())
    True
    """
    names = (module.name for module in iter_modules(__path__))
    return sorted(name.removeprefix("lesson_").replace("_", ".") for name in names if name.startswith("lesson_"))


def of_lesson(number: str) -> dict[str, Exercise]:
    """The exercises of lesson "2.3" by their ids, in order; empty if it has none."""
    name = f"{__name__}.lesson_{number.replace('.', '_')}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return {}
    made = [kind() for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Exercise)]
    return {exercise.id: exercise for exercise in made if type(exercise).__module__ == name and hasattr(exercise, "id")}


def find(exercise_id: str) -> Exercise:
    """The exercise with this id.

    >>> find("99.9-1")
    Traceback (most recent call last):
    crmkit.errors.InputError: There is no exercise '99.9-1'. ...
    """
    number = str(exercise_id).rpartition("-")[0]
    known = of_lesson(number) if number in lessons() else {}
    if exercise_id in known:
        return known[exercise_id]
    every = known or {found: None for lesson in lessons() for found in of_lesson(lesson)}
    few = f" Lesson {number} has {', '.join(known)}." if known else " An id is a lesson and a number, such as '2.3-4'."
    raise InputError(f"There is no exercise {str(exercise_id)!r}.{near_misses(exercise_id, every)}{few}")
