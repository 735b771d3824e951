"""What is needed of a model of letters to embed sequences with it, or to ask it about masked ones."""

from lifecode.models.luca_one.encoder import TransformerEncoder
from lifecode.models.luca_one.rows import NUM_SPECIAL
from lifecode.models.saved import SavedModel


class LetterModel(SavedModel):
    """A model that reads the letters of nucleic acids and proteins, so many at once.

    Attributes:
        encoder: its layers.
    """

    encoder: TransformerEncoder

    @property
    def max_letters(self) -> int:
        """Of a sequence that is read at once."""
        return self.config["max_tokens"] - NUM_SPECIAL
