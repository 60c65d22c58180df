"""Memory that ran out: how libraries say so, without importing them."""

import errno

NO_MEMORY = (
    'memory ran out; close other programs, or choose a smaller base in [base] model; on a CUDA card [base] quantize = "4bit" '
    'trains, [engine] precision = "4bit" speaks in a quarter of it'
)
_SAID = (
    "can't allocate memory",  # PyTorch beside a CPU on Linux
    "cannot allocate memory",  # the kernel
    "not enough memory",  # PyTorch on Windows
    "paging file is too small",  # Windows
    "out of memory",  # CUDA's driver, MPS, bitsandbytes
    "alloc_failed",  # cuBLAS
    "bad_alloc",  # C++
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on a card or beside it: PyTorch has an exception of its own, but not for all of them."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, OSError | RuntimeError) and any(said in str(error).lower() for said in _SAID)
