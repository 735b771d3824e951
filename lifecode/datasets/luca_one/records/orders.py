"""The taxonomic order of an organism, out of the lineage that its record gives.

Flat files name the taxa of a lineage and not their ranks. With the NCBI's taxonomy, or any list of orders, a
taxon of the lineage that stands there is the order. Without, the order is told by its name:

* names in -ales are orders by the codes of bacteria, archaea, fungi, algae and plants, and of viruses;
* names in -iformes are orders of fishes and birds by convention, but for some above the orders of mites,
  ticks and cephalopods;
* orders of animals and protists without an ending of their own are told by a list of the often sequenced.

The first such name from the root counts, since families and genera may end alike. What none of these tells
has no label: it is not known to have no order.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lifecode.data.formats.opening import opened
from lifecode.errors import UserError

_ENDING = re.compile(r"(?:Candidatus )?[A-Z][a-z]+(?:ales|iformes)")
_ABOVE_ORDERS = frozenset({"Acariformes", "Parasitiformes", "Decapodiformes", "Octopodiformes"})
_WITHOUT_ENDING = frozenset(
    """
    Afrosoricida Artiodactyla Carnivora Cetartiodactyla Chiroptera Cingulata Dasyuromorphia Dermoptera
    Didelphimorphia Diprotodontia Eulipotyphla Hyracoidea Insectivora Lagomorpha Macroscelidea
    Monotremata Peramelemorphia Perissodactyla Pholidota Pilosa Primates Proboscidea Rodentia Scandentia
    Sirenia Soricomorpha Tubulidentata Crocodylia Rhynchocephalia Squamata Testudines Anura Caudata
    Gymnophiona Blattodea Coleoptera Dermaptera Diptera Embioptera Ephemeroptera Hemiptera Hymenoptera
    Isoptera Lepidoptera Mantodea Mecoptera Megaloptera Neuroptera Odonata Orthoptera Phasmatodea
    Phthiraptera Plecoptera Psocodea Raphidioptera Siphonaptera Strepsiptera Thysanoptera Trichoptera
    Zygentoma Anostraca Camarodonta Copelata Forcipulatida Phlebobranchia Stolidobranchia Valvatida
    Amphipoda Araneae Calanoida Cyclopoida Decapoda Euphausiacea Harpacticoida Ixodida Isopoda
    Mesostigmata Opiliones Scorpiones Siphonostomatoida Xiphosura Ascaridida Rhabditida Spirurida
    Strongylida Trichinellida Trichocephalida Tylenchida Mytilida Octopoda Ostreida Pectinida Sepiida
    Stylommatophora Venerida Actiniaria Anthoathecata Rhizostomeae Scleractinia Semaeostomeae
    Diphyllobothriidea Cyclophyllidea Strigeidida Tricladida Diplomonadida Eucoccidiorida Haemosporida
    Hymenostomatida Kinetoplastida Peniculida Piroplasmida Trichomonadida Trypanosomatida
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Orders:
    """How the order in a lineage is told.

    Attributes:
        names: of all orders, or None where names are told by their endings and a short list.
    """

    names: Collection[str] | None = None

    @classmethod
    def read(cls, path: str | Path | None) -> "Orders":
        """The names of orders in a file, or in the taxonomy of the NCBI.

        Args:
            path: a text file with a name a line, or the folder of `taxdump.tar.gz`, unpacked, with
                `nodes.dmp` and `names.dmp`; None for none.

        Raises:
            UserError: no such file, or no order in it.
        """
        if path is None:
            return cls()
        path = Path(path).expanduser()
        if path.is_dir():
            names = _orders_of_taxonomy(path)
        elif path.is_file():
            names = frozenset(line.strip() for line in _lines(path) if line.strip())
        else:
            raise _fault("there is no such file or folder", path)
        if not names:
            raise _fault("names no order", path)
        return cls(names)

    def order_of(self, lineage: Sequence[str]) -> str | None:
        """The order in a lineage, given from the root on, or None where it names none."""
        return next((name for name in lineage if self._is_order(name)), None)

    def _is_order(self, name: str) -> bool:
        if self.names is not None:
            return name in self.names
        is_named_so = _ENDING.fullmatch(name) is not None and name not in _ABOVE_ORDERS
        return is_named_so or name in _WITHOUT_ENDING


def _orders_of_taxonomy(folder: Path) -> frozenset[str]:
    """Scientific names of the taxa of the rank of an order."""
    for name in ("nodes.dmp", "names.dmp"):
        if not (folder / name).is_file():
            raise _fault(f"has no {name}", folder)
    ids = {fields[0] for fields in map(_fields, _lines(folder / "nodes.dmp")) if fields[2:3] == ["order"]}
    return frozenset(
        fields[1]
        for fields in map(_fields, _lines(folder / "names.dmp"))
        if fields[0] in ids and fields[3:4] == ["scientific name"]
    )


def _fields(line: str) -> list[str]:
    return [field.strip() for field in line.split("|")]


def _lines(path: Path) -> list[str]:
    with opened(path) as handle:
        return handle.read().decode("utf-8", errors="replace").splitlines()


def _fault(problem: str, path: Path) -> UserError:
    remedy = "Give a text file with an order a line, or the folder of NCBI's taxdump.tar.gz unpacked"
    return UserError(problem, source=path, remedy=remedy)
