"""What the input files hold: every contig, every exact pair, and every CDS left out with its reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lifecode.data.coding_sequence import ExactPair, Rejection, verify_all
from lifecode.data.inputs import InputUnit
from lifecode.data.reading import ReadingSettings, read_unit
from lifecode.data.records import Contig
from lifecode.errors import UserError


@dataclass(frozen=True, slots=True)
class Findings:
    """Contigs, pairs and rejections, each in the order of the files.

    Attributes:
        contigs: by name.
        pairs: exact pairs, each with its contig.
        rejected: rows of `shards.REJECTED_SCHEMA`.
        reasons: how many CDS were rejected for each reason.
    """

    contigs: dict[str, Contig] = field(default_factory=dict)
    pairs: list[tuple[Contig, ExactPair]] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, contig: Contig) -> None:
        """Take in a contig and judge its CDS.

        Raises:
            UserError: another contig has the same name.
        """
        if (other := self.contigs.get(contig.name)) is not None:
            raise UserError(
                f"the contig name was already used in {other.source}",
                source=contig.source,
                record=contig.name,
                remedy="Give each sequence once, under its own name",
            )
        self.contigs[contig.name] = contig
        for coding_sequence, verdict in zip(contig.coding_sequences, verify_all(contig), strict=True):
            if isinstance(verdict, Rejection):
                self.leave_out(contig, coding_sequence.id, verdict.reason, verdict.detail)
            else:
                self.pairs.append((contig, verdict))

    def leave_out(self, contig: Contig, cds_id: str, reason: str, detail: str) -> None:
        """Count and list a CDS that will not be in the corpus."""
        self.reasons[reason] += 1
        row = {"id": cds_id, "contig": contig.name, "source": Path(contig.source).name}
        self.rejected.append(row | {"reason": reason, "detail": detail})

    def require_pairs(self) -> None:
        """Raise a `UserError` that counts the reasons where no CDS is an exact pair."""
        if self.pairs:
            return
        sources = list(dict.fromkeys(contig.source for contig in self.contigs.values()))
        total = sum(self.reasons.values())
        reasons = ", ".join(f"{count} {reason}" for reason, count in self.reasons.most_common())
        raise UserError(
            f"none of {total} CDS translates exactly ({reasons})" if total else "there is no CDS",
            source=", ".join(sources[:3]) + (" …" if len(sources) > 3 else ""),
            remedy="Give an annotated genome (GenBank), or set require_pairs=false for DNA alone",
        )


def read_findings(units: Sequence[InputUnit], genetic_code: int) -> Findings:
    """Read the units and judge every CDS; `genetic_code` is that of CDS that name none.

    Raises:
        UserError: a file or record that cannot be read, or two contigs of one name.
    """
    findings = Findings()
    settings = ReadingSettings(genetic_code=genetic_code)
    for unit in units:
        for contig in read_unit(unit, settings):
            findings.add(contig)
    return findings
