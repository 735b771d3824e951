"""Groups of what is linked, directly or through others."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def groups_of_linked(first: NDArray[np.int64], second: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """(size,) number of each node's group.

    Args:
        first: (num_links,) node at one end of each link.
        second: (num_links,) node at the other end.
        size: how many nodes there are.
    """
    graph = coo_array((np.ones(len(first), dtype=np.int8), (first, second)), shape=(size, size))
    return connected_components(graph, directed=False)[1].astype(np.int64)
