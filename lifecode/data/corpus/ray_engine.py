"""The tasks of a preparation on a Ray cluster, whose machines must share the file system of the corpus."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lifecode.data.corpus.engine import Run
from lifecode.errors import UserError
from lifecode.host.safe_path import safe_children

_WAITING_A_CPU = 4


@dataclass(frozen=True, slots=True)
class RayEngine:
    """Tasks on an existing Ray cluster, or on one that is started on this machine and stopped at the end.

    Args:
        address: of the cluster, such as `auto` or `ray://head:10001`; None starts one here.
        workers: CPUs of the one that is started here; None for all cores.
    """

    address: str | None = None
    workers: int | None = None

    @contextmanager
    def started(self, num_tasks: int) -> Iterator[Run]:
        """As for `Engine`.

        Raises:
            UserError: Ray is not installed, or no cluster answers.
        """
        try:
            import ray
        except ModuleNotFoundError as missing:
            raise UserError(
                "engine=ray needs Ray",
                source="engine",
                remedy="pip install 'lifecode[ray]', or use engine=local",
            ) from missing
        with safe_children():
            yield from self._started(ray)

    def _started(self, ray: Any) -> Iterator[Run]:
        own = not ray.is_initialized()
        if own:
            try:
                ray.init(
                    job_config=self._job_config(),
                    address=self.address or "local",
                    num_cpus=None if self.address else self.workers,
                    log_to_driver=False,
                    include_dashboard=None if self.address else False,
                    logging_level=logging.ERROR,
                )
            except (ConnectionError, RuntimeError, ValueError) as fault:
                raise UserError(
                    f"Ray does not start ({fault})",
                    source="engine.address",
                    remedy="Check the address with `ray status`, or leave it out to start Ray here",
                ) from fault
        try:
            yield _run
        finally:
            if own:
                ray.shutdown()

    def _job_config(self) -> Any:
        """Without it every worker would import from the current folder first."""
        from ray.job_config import JobConfig

        config = JobConfig()
        if not (self.address or "").startswith("ray://"):  # whose client gives no folder, and pickles this
            config._runtime_env_has_working_dir = lambda: True
        return config


def _run(function: Callable[[Any], None], tasks: Sequence[Any]) -> Iterator[int]:
    """Submit some tasks a CPU ahead, and the next whenever one is done."""
    import ray

    remote = ray.remote(function)
    ahead = _WAITING_A_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
    running: dict[Any, int] = {}
    try:
        for number, task in enumerate(tasks):
            running[remote.remote(task)] = number
            while len(running) >= ahead:
                yield _next_done(running)
        while running:
            yield _next_done(running)
    finally:
        for reference in running:
            ray.cancel(reference, force=True)


def _next_done(running: dict[Any, int]) -> int:
    """Wait for one of the tasks; its error is the one that the task raised."""
    import ray
    from ray.exceptions import RayTaskError

    (done,), _ = ray.wait(list(running), num_returns=1)
    number = running.pop(done)
    try:
        ray.get(done)
    except RayTaskError as fault:
        raise fault.cause from None  # pyright: ignore[reportGeneralTypeIssues]
    return number
