"""The processes that share one training, as torchrun starts them. One process alone is a world of one."""

import os

from accelerate import PartialState

from persona.errors import UserError


def is_first() -> bool:
    """Return whether this process is the one that talks to the user and writes the bundle."""
    return os.environ.get("RANK", "0") == "0"


def world() -> tuple[int, int]:
    """(rank, number of processes). Raises UserError if launcher and torch disagree: `accelerate launch --cpu` has been
    seen to start one process of two and say nothing."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        return 0, 1
    from engine.numerics import best_device

    state = PartialState(cpu=best_device().type != "cuda")
    if state.num_processes != world_size:
        raise UserError(
            f"{world_size} processes were asked for and {state.num_processes} train together; "
            "start them with 'torchrun --nproc_per_node N -m trainer train'"
        )
    return int(state.process_index), world_size
