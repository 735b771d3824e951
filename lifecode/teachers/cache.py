"""Teacher features on disk, keyed by (teacher, protein): each protein goes through the teacher once, ever.

CACHE/<teacher>/<bucket>/<sha256>.safetensors   packs, immutable (see `pack`)
CACHE/<teacher>/<bucket>/lock                   held by the process that computes there
CACHE/<teacher>/sets/<identity>.safetensors     the index of one set of proteins (see `features`)

A protein's bucket, of 64, follows from its sha256. A process computes what a bucket lacks while it holds the
bucket's lock, and leaves a bucket that another one holds for later: so any number of processes, of one run or
of many, share the work, and no protein is computed twice. The price is a file for each bucket even of a small
set.
"""

import hashlib
import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from lifecode.errors import Interrupted, UserError
from lifecode.host.durable import delete_partials
from lifecode.host.own_folder import require_own
from lifecode.teachers.base import ProteinTeacher
from lifecode.teachers.consecutive import consecutive
from lifecode.teachers.features import Location, TeacherFeatures
from lifecode.teachers.pack import SUFFIX, Pack, half_precision, is_intact, protein_digest, write_pack

logger = logging.getLogger(__name__)

_NUM_BUCKETS = 64
_PACK_BYTES = 2**27
_RESIDUES_PER_CALL = 32_768

Progress = Callable[[int, int], object]
"""Called with residues that are stored, and residues in all."""


class DiskUse(NamedTuple):
    """What the features of a set of proteins take: in all, still to be computed, and free on the disk."""

    total_bytes: int
    missing_bytes: int
    free_bytes: int


class _Asked(NamedTuple):
    digest: bytes
    protein: str


class FeatureCache:
    """Stored features of one teacher.

    Args:
        folder: of the cache, shared by teachers and runs; made when something is stored.
        teacher: what computes features; its `name` stands for everything that decides them.
        verify: compare the packs in use with their checksums. A damaged one is named, deleted and computed
            again.
    """

    def __init__(self, folder: str | Path, teacher: ProteinTeacher, *, verify: bool = True) -> None:
        self.top = Path(folder).expanduser()
        self.folder = self.top / teacher.name
        self.teacher, self.verify = teacher, verify

    def disk_use(self, proteins: Iterable[str]) -> DiskUse:
        """What the features of `proteins` take on disk, and how much of that is missing."""
        asked, a_residue = _ranked(proteins), 2 * self.teacher.width
        missing = 0
        if self._finished(asked) is None:
            for folder, own in self._in_buckets(asked).items():
                found = {digest for pack in _packs(folder) for digest in pack.digests.tolist()}
                missing += _num_residues([one for one in own if one.digest not in found])
        on_disk = next(folder for folder in (self.folder, *self.folder.absolute().parents) if folder.exists())
        free = shutil.disk_usage(on_disk).free
        return DiskUse(_num_residues(asked) * a_residue, missing * a_residue, free)

    def features(self, proteins: Iterable[str], *, progress: Progress | None = None) -> TeacherFeatures:
        """The features of `proteins`, of which those that are missing are computed and stored.

        It may be stopped at any moment, and run in any number of processes: what is stored stays.

        Args:
            proteins: in any order; duplicates, and the two cases of a protein, are one.
            progress: called as the work goes on.

        Raises:
            UserError: the cache cannot be written, or a feature does not fit half precision.
            Interrupted: at Ctrl-C; the same call goes on.
        """
        asked = _ranked(proteins)
        finished = self._finished(asked)
        if finished is not None and not (self.verify and _damaged(finished.packs)):
            return finished
        require_own(self.folder, inside=self.top)
        located: dict[bytes, Location] = {}
        done, total = 0, _num_residues(asked)
        with self._writing(), closing(self._completed(self._in_buckets(asked))) as parts:
            for found in parts:
                located |= found
                done += sum(place.num_residues for place in found.values())
                if progress is not None:
                    progress(done, total)
            return TeacherFeatures.write(
                self._index(asked), located, teacher=self.teacher.name, width=self.teacher.width
            )

    def _completed(self, buckets: dict[Path, list[_Asked]]) -> Generator[dict[bytes, Location]]:
        """Where the proteins are, bucket by bucket: first those that no other process works on."""
        waiting = list(buckets)
        turn = os.getpid() % max(1, len(waiting))  # else processes would run after one another
        waiting = waiting[turn:] + waiting[:turn]
        for timeout in (0.0, -1.0):
            for folder in list(waiting):
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    with FileLock(folder / "lock").acquire(timeout=timeout):
                        waiting.remove(folder)
                        yield from self._complete(folder, buckets[folder])
                except Timeout:
                    continue

    def _complete(self, folder: Path, asked: Sequence[_Asked]) -> Iterator[dict[bytes, Location]]:
        """Where each protein of a bucket is: what is stored at once, then each pack as it is computed."""
        delete_partials(folder, "*")  # of a process that was killed: the lock is ours
        wanted = {one.digest for one in asked}
        self._discard_damaged(folder, wanted)
        found = {digest: place for pack in _packs(folder) for digest, place in _places(pack, wanted)}
        yield found
        missing = [one for one in asked if one.digest not in found]
        for group in _groups(missing, _PACK_BYTES // (2 * self.teacher.width)):
            yield dict(_places(self._compute(folder, group), wanted))

    def _compute(self, folder: Path, group: Sequence[_Asked]) -> Pack:
        """A new pack of these proteins."""
        features = []
        for call in _groups(group, _RESIDUES_PER_CALL):
            proteins = [one.protein for one in call]
            for protein, seen in zip(proteins, self.teacher(proteins), strict=True):
                assert seen.shape == (len(protein), self.teacher.width)
                features.append(half_precision(seen.float().cpu().numpy(), protein))
        return Pack(write_pack(folder, self.teacher.name, [one.digest for one in group], features))

    def _discard_damaged(self, folder: Path, wanted: set[bytes]) -> None:
        """Deletes packs of a bucket: those that cannot be read, those in use that are not what they were."""
        readable = {pack.path: pack for pack in _packs(folder)}
        damaged = {path for path in _pack_files(folder) if path not in readable}
        if self.verify:
            damaged |= _damaged(
                [path for path, pack in readable.items() if wanted.intersection(pack.digests.tolist())]
            )
        for path in sorted(damaged):
            logger.warning("%s differs from its checksum; its proteins are computed again", path)
            path.unlink()

    def _in_buckets(self, asked: Sequence[_Asked]) -> dict[Path, list[_Asked]]:
        buckets: dict[Path, list[_Asked]] = defaultdict(list)
        for one in asked:
            buckets[self.folder / f"{int(one.digest[:2], 16) % _NUM_BUCKETS:02d}"].append(one)
        return buckets

    def _index(self, asked: Sequence[_Asked]) -> Path:
        identity = hashlib.sha256(b"\n".join(one.digest for one in asked)).hexdigest()
        return self.folder / "sets" / f"{identity[:32]}{SUFFIX}"

    def _finished(self, asked: Sequence[_Asked]) -> TeacherFeatures | None:
        """The features of exactly these proteins, if they have an index and all its packs are there."""
        try:
            features = TeacherFeatures(self._index(asked))
        except (FileNotFoundError, UserError):
            return None
        return features if all(path.exists() for path in features.packs) else None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"cannot write teacher features ({error.strerror or error})",
                source=self.folder,
                remedy="What is stored stays: make room or give another teacher.cache, and run again",
            ) from error
        except KeyboardInterrupt as stop:
            raise Interrupted(f"interrupted; the same command goes on from {self.folder}") from stop


def _ranked(proteins: Iterable[str]) -> list[_Asked]:
    """Distinct proteins in the order of their keys, in upper case."""
    distinct = {protein_digest(protein): protein.upper() for protein in proteins}
    return [_Asked(*item) for item in sorted(distinct.items())]


def _num_residues(asked: Iterable[_Asked]) -> int:
    return sum(len(one.protein) for one in asked)


def _groups(asked: Sequence[_Asked], max_residues: int) -> Iterator[Sequence[_Asked]]:
    """Consecutive proteins with at most `max_residues` residues, or one longer protein."""
    for group in consecutive([len(one.protein) for one in asked], max_residues):
        yield asked[group]


def _pack_files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"[!.]*{SUFFIX}"))


def _packs(folder: Path) -> list[Pack]:
    """The packs of a bucket that can be read."""
    packs = []
    for path in _pack_files(folder):
        try:
            packs.append(Pack(path))
        except (FileNotFoundError, UserError):  # FileNotFoundError: another process found it damaged
            continue
    return packs


def _places(pack: Pack, wanted: set[bytes]) -> Iterator[tuple[bytes, Location]]:
    """Where the wanted proteins of a pack are."""
    borders = pack.offsets.tolist()
    for digest, first, last in zip(pack.digests.tolist(), borders[:-1], borders[1:], strict=True):
        if digest in wanted:
            yield digest, Location(pack.path, first, last - first)


def _damaged(packs: Sequence[Path]) -> set[Path]:
    """The packs that differ from their checksums, or are gone."""
    with ThreadPoolExecutor() as threads:
        intact = list(threads.map(is_intact, packs))
    return {path for path, whole in zip(packs, intact, strict=True) if not whole}
