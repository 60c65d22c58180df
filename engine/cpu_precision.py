"""The switch for bfloat16 on CPUs. Tests set it: the same results are wanted from any machine."""

import os

SWITCH = "ALTEREGO_BFLOAT16"  # "1": bfloat16 on any CPU, emulated if need be; "0": never; unset: as the hardware is


def bfloat16_switch() -> bool | None:
    """Return whether bfloat16 was switched on or off; None if the hardware decides."""
    return {"1": True, "0": False}.get(os.environ.get(SWITCH, ""))
