"""What is in no row, and why: counted by reason, and listed where a single record can be named."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was left out so far.

    Attributes:
        listed: (id, reason, detail) of records, features and structures.
        reasons: how often each reason was given, of what is listed and of what is only counted, such as the
            lines of a file of InterPro.
    """

    listed: list[tuple[str, str, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """List something that is left out, or of which something is."""
        self.listed.append((name, reason, detail))
        self.reasons[reason] += 1

    def count(self, reason: str, number: int = 1) -> None:
        """Count what is left out without a name."""
        if number:
            self.reasons[reason] += number
