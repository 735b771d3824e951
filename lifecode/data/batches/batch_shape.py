"""How much sequence a step holds, over all processes, and how that changes at the start of training."""

from dataclasses import dataclass

from lifecode.errors import UserError

_SMALLEST_ROW = 16


@dataclass(frozen=True, slots=True)
class BatchShape:
    """Rows of a step and codons of a row. A step is the same for any number of processes that share it.

    Attributes:
        max_codons: budget of a packed row and longest segment, special tokens included.
        rows: rows of one optimizer step, over all processes.
        rows_at_once: rows that pass through the model together on one process; None for all of its share.
        warmup_codons: `max_codons` of the first `warmup_steps` steps.
        warmup_steps: length of that beginning, 0 for none.
    """

    max_codons: int = 4096
    rows: int = 2
    rows_at_once: int | None = None
    warmup_codons: int = 1024
    warmup_steps: int = 0

    def __post_init__(self) -> None:
        if min(self.max_codons, self.warmup_codons) < _SMALLEST_ROW:
            raise UserError(
                f"max_codons {self.max_codons}, warmup_codons {self.warmup_codons} make no row",
                remedy=f"Both are at least {_SMALLEST_ROW}",
            )
        if (
            self.rows < 1
            or (self.rows_at_once is not None and self.rows_at_once < 1)
            or self.warmup_steps < 0
        ):
            raise UserError(
                f"rows {self.rows}, rows_at_once {self.rows_at_once}, warmup_steps {self.warmup_steps} "
                "make no batch",
                remedy="rows are at least 1, warmup_steps at least 0",
            )

    def row_length(self, step: int) -> int:
        """Budget of a row at a step."""
        return self.warmup_codons if step < self.warmup_steps else self.max_codons

    def begins_length(self, step: int) -> bool:
        """Whether a step is the first with its budget."""
        return step in (0, self.warmup_steps)

    def rows_together(self, world_size: int) -> int:
        """Rows of one micro-batch on each of `world_size` processes.

        Raises:
            UserError: the rows of a step cannot be shared out evenly.
        """
        return rows_together(self.rows, self.rows_at_once, world_size, source="data.batch.rows")


def rows_together(rows: int, rows_at_once: int | None, world_size: int, *, source: str) -> int:
    """Rows of one micro-batch on each of `world_size` processes.

    Raises:
        UserError: the rows of a step cannot be shared out evenly; it names the key `source`.
    """
    together = rows_at_once or max(1, rows // world_size)
    if rows % (together * world_size):
        of_stage_1 = " (stage 1: data.tokenizer_batch.rows)" if source.startswith("data.") else ""
        raise UserError(
            f"{rows} rows cannot be shared by {world_size} processes, {together} at once",
            source=source,
            remedy=f"Make it a multiple of {together * world_size}{of_stage_1}",
        )
    return together
