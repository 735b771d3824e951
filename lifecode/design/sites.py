"""How often forbidden sites stand in a sequence, on either strand; apart from the search that avoids them."""

import re
from collections.abc import Sequence
from functools import cache

from Bio.Data.IUPACData import ambiguous_dna_complement, ambiguous_dna_values
from Bio.Restriction.Restriction_Dictionary import rest_dict


def count_sites(dna: str, sites: Sequence[str]) -> int:
    """Occurrences of restriction enzymes or motifs of IUPAC letters, a palindrome's once."""
    return sum(len(re.findall(f"(?={strand})", dna)) for site in sites for strand in _patterns(site))


@cache
def _patterns(site: str) -> tuple[str, ...]:
    motif = str(rest_dict[site]["site"] if site in rest_dict else site).upper()
    reverse = "".join(ambiguous_dna_complement[letter] for letter in reversed(motif))
    return tuple(
        "".join(f"[{ambiguous_dna_values[letter]}]" for letter in strand) for strand in {motif, reverse}
    )
