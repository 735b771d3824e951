"""How many cores this process may use: fewer than the machine has under taskset, SLURM or in a container."""


def usable_cores() -> int:
    """Cores that affinity and the quota of a container (cgroup) leave this process; at least one."""
    from joblib import cpu_count  # a third of a second, for those that ask

    return cpu_count()
