"""Which simulated head a recording is of: told in its stream's description, so that the oracle can be built for it anew."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from bci_live.simulation.head import SimulatedHead
from bci_live.types import FloatArray

# Every so many samples and electrodes of the second that is told.
_SAMPLES, _ELECTRODES = 25, 4
# Another build of LAPACK differs by less, another head by more.
_TOLERANCE_UV = 0.05


def describe_head(head: SimulatedHead) -> str:
    """JSON: the seed that it was built with, and what its electrodes pick up in a second in which a pattern is shown, µV."""
    return json.dumps(
        {"seed": head.ventral.seed, "second_uv": np.round(_second(head).astype(np.float64), 2).ravel().tolist()}
    )


def rebuilt_head(told: str, build: Callable[[int], SimulatedHead]) -> SimulatedHead | None:
    """The head of a description, built from its seed; None where what is built picks up something else.

    A head changes with the constants of the simulation, and an oracle of another head knows nothing.
    """
    try:
        values = json.loads(told)
        seed, second = int(values["seed"]), np.array(values["second_uv"], dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):  # descriptions come from files of others
        return None
    if seed < 0:
        return None
    head = build(seed)
    own = _second(head).ravel()
    return head if own.shape == second.shape and np.allclose(own, second, rtol=0, atol=_TOLERANCE_UV) else None


def _second(head: SimulatedHead) -> FloatArray:
    """(times, electrodes), µV: the response, its spread and the background all show in it."""
    rng = np.random.default_rng(0)
    pattern = np.kron(rng.integers(0, 256, (1, 8, 8, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    return head.watch(pattern, np.array([0.1]), 1.0, rng)[::_SAMPLES, ::_ELECTRODES]
