"""What a run of LucaOne would be, from its config; trains nothing and writes nothing."""

from functools import partial

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value, construct
from lifecode.datasets.luca_one.batch import assumed_contents
from lifecode.models.luca_one.rows import NUM_SPECIAL
from lifecode.training.plan import plan_stage
from lifecode.verbs.train.luca_one.letter_stage import stage_without_memory
from lifecode.verbs.train.luca_one.row_data import longest_row
from lifecode.verbs.train.plan import RunPlan


def plan(config: DictConfig) -> RunPlan:
    """What a run would be; rows are taken as full of the longest sequences, with every label."""
    stage, masking = stage_without_memory(config), construct(config.pretraining.masking)
    longest = longest_row(config, stage.model) + NUM_SPECIAL
    contents = partial(assumed_contents, longest=longest, masked=masking.fraction)
    shape, settings = construct(config.pretraining.batch), construct(config.trainer)
    assumption = (
        f"Rows are taken as full, of sequences of {longest:,} tokens with a label of every task at every "
        "letter: the most that fits."
    )
    return RunPlan(
        name=checked_value(config, "name", str),
        stages=[plan_stage(stage, shape, masking, settings, contents)],
        flops_per_second=checked_value(config, "plan_flops_per_second", float | None),
        assumption=assumption,
        missing_input="rows are counted by lifecode rows and when they are read",
    )
