"""The weights that a run of LucaOne begins with: those of `init_from`."""

from pathlib import Path

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.make import LABELS
from lifecode.errors import UserError
from lifecode.models.families import load
from lifecode.models.luca_one.model import LucaOne
from lifecode.verbs.train.luca_one.letter_stage import stage_without_memory


def model_to_begin_with(config: DictConfig) -> LucaOne | None:
    """The model that `init_from` names.

    Raises:
        UserError: it cannot be read, or has another shape than the model of the run.
    """
    name = checked_value(config, "init_from", str | None)
    if name is None:
        return None
    in_run = Path(name).expanduser() / "model"
    found = load(in_run if in_run.exists() else name)
    if not isinstance(found, LucaOne):
        raise UserError(f"is a model of family {found.family}", source="init_from")
    shapes, wanted = (
        {name: tuple(value.shape) for name, value in each.state_dict().items()}
        for each in (found, stage_without_memory(config).model)
    )
    for weight in sorted(shapes.keys() | wanted.keys()):
        own, of_run = shapes.get(weight), wanted.get(weight)
        if own != of_run:
            has = f"lacks {weight}" if own is None else f"has {weight} of shape {own}"
            raise UserError(
                f"{has}, which {'the model lacks' if of_run is None else f'in the model is of {of_run}'}",
                source="init_from",
                remedy="Give model.* the values of its config.json",
            )
    return found


def begin_with(config: DictConfig, model: LucaOne) -> None:
    """The weights that `init_from` names; a checkpoint of this run takes their place later."""
    found = model_to_begin_with(config)
    if found is not None:
        model.load_state_dict(found.state_dict())


def tasks_of_other_labels(init_from: str, names: LabelNames) -> list[str]:
    """The tasks whose heads were trained on other classes than they are to learn.

    Args:
        init_from: a run, or the model in it; where no names of labels lie beside it, nobody knows.
        names: of the classes now.
    """
    folder = Path(init_from).expanduser()
    file = next((x for x in (folder / LABELS, folder.parent / LABELS) if x.is_file()), None)
    before = {} if file is None else LabelNames.read(file).of_task
    return [
        task for task, own in names.of_task.items() if (known := before.get(task, ())) != own[: len(known)]
    ]


def say_of_other_labels(config: DictConfig, names: LabelNames) -> None:
    """One line of the heads of `init_from` whose classes meant something else there."""
    name = checked_value(config, "init_from", str | None)
    if name is not None and (tasks := tasks_of_other_labels(name, names)):
        print(
            f"init_from={name}: its classes of {', '.join(tasks)} are other labels than those of these rows"
        )
