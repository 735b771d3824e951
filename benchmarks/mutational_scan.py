"""What zero-shot scores of a mutational scan are worth, beside scores that know less: `--help`.

    .venv/bin/python -m benchmarks.mutational_scan scan.csv wild_type.fasta --label 2500 --stored esm1v_t33

Spearman against a measured column of: a model by each method, the same model untrained (three seeds; not of
models of transformers), BLOSUM62, how common the new residue is beside the old one in a genome, and the mean
of columns of stored scores. `--mutants` draws some by seed 0, for methods that take a pass for each residue
of each mutant.
"""

import argparse
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from Bio.Align import substitution_matrices
from scipy.stats import spearmanr

import lifecode
from lifecode.data.reading.read import read_records
from lifecode.models.families import load_masked
from lifecode.models.saved import SavedModel
from lifecode.variants.asking import Scoring


def scores_of(arguments: argparse.Namespace) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The measured values, and scores by what gives them, row by row of the scan."""
    frame = pd.read_csv(arguments.scan)
    if arguments.mutants is not None:
        frame = frame.sample(arguments.mutants, random_state=0)
    mutants = [[(one[0], one[-1]) for one in name.split(":")] for name in frame["mutant"]]
    found: dict[str, np.ndarray] = {}

    def ask(model: Any, method: str) -> np.ndarray:
        result = lifecode.score_scan(
            model,
            frame["mutant"].tolist(),
            protein=arguments.protein,
            cds=arguments.cds,
            offset=arguments.offset,
            codon_choice=arguments.codon_choice,
            codon_draws=arguments.codon_draws,
            seed=arguments.seed,
            scoring=Scoring(method=method, window_codons=arguments.window_codons),
        )
        return result.frame["score"].to_numpy()

    model: Any = load_masked(arguments.model)
    models = {arguments.model: model}
    for seed in range(arguments.untrained if isinstance(model, SavedModel) else 0):
        torch.manual_seed(seed)
        models[f"untrained, seed {seed}"] = model.from_config(model.config).eval()
    for method in arguments.methods.split(","):
        found |= {f"{name}, {method}": ask(one, method) for name, one in models.items()}
    blosum = substitution_matrices.load("BLOSUM62")
    found["BLOSUM62"] = np.array([sum(blosum[a][b] for a, b in mutant) for mutant in mutants])
    counts: Counter[str] = Counter()
    for contig in read_records("ecoli"):
        for cds in contig.coding_sequences:
            counts.update(cds.protein or "")
    log_share = {residue: np.log(count) for residue, count in counts.items()}
    found["residue unigram (E. coli)"] = np.array(
        [sum(log_share[b] - log_share[a] for a, b in mutant) for mutant in mutants]
    )
    if arguments.stored:
        columns = [name for name in frame if name.startswith(arguments.stored)]
        found[f"stored {arguments.stored}, mean of {len(columns)}"] = frame[columns].mean(axis=1).to_numpy()
    return frame[arguments.label].to_numpy(), found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scan", help="CSV with a column mutant and one of measurements")
    parser.add_argument("protein", help="wild type, FASTA")
    parser.add_argument(
        "--cds", help="its coding sequence, FASTA; without it the protein is reverse-translated"
    )
    parser.add_argument("--codon-choice", default="sampled", help="of a protein without CDS, or frequent")
    parser.add_argument("--codon-draws", type=int, default=4, help="over which scores are means")
    parser.add_argument("--seed", type=int, default=0, help="of the draws of codons")
    parser.add_argument("--window-codons", type=int, default=1024, help="so many are read around a mutation")
    parser.add_argument("--label", default="DMS_score", help="column of measurements")
    parser.add_argument("--stored", help="what the columns of stored scores begin with")
    parser.add_argument("--offset", type=int, default=1, help="number of the first residue")
    parser.add_argument("--model", default="lifecode-mini")
    parser.add_argument("--methods", default="masked", help="by commas, such as masked,translator,wild_type")
    parser.add_argument(
        "--untrained", type=int, default=3, help="so many models of new weights, seeds 0, 1, ..."
    )
    parser.add_argument("--mutants", type=int, help="so many of the scan; all without it")
    label, found = scores_of(parser.parse_args())
    for name, values in found.items():
        known = ~(np.isnan(values) | np.isnan(label))
        rho = spearmanr(values[known], label[known])[0]
        print(f"{name:45s} {rho:6.3f}  n = {known.sum():,}", flush=True)


if __name__ == "__main__":
    main()
