"""How many compiled kernels oneDNN keeps. It compiles one for each shape of a product, and texts have all lengths: unbounded,
a training in bfloat16 takes 2 GiB more the longer it lasts (https://github.com/pytorch/pytorch/issues/27971)."""

import os
import sys

FEW = 4  # of OpenVINO's, each 1 MiB: more bring no time that could be measured
A_STEP = 64  # of PyTorch's: as many as a step of a training makes again and again; with 16 it takes a seventh longer

_LIMITS = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")  # oneDNN's own, and what PyTorch keeps above it


def bound_kernel_caches() -> None:
    """Bound both caches, unless the user did. They are read when the first kernel is made: to be called before.

    OpenVINO and PyTorch have a oneDNN each, which read the same variable."""
    kept = A_STEP if "torch" in sys.modules else FEW
    for name in _LIMITS:
        os.environ.setdefault(name, str(kept))
