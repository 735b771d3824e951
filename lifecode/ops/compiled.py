from numba import njit
compiled = njit(nogil=True, error_model="numpy", _nrt=False)
compiled_entry = njit(nogil=True, error_model="numpy", _nrt=False, cache=True)
