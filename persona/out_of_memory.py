"""Memory that ran out: how libraries say so, without importing them."""

_SAID = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
)  # PyTorch on Linux, the kernel, PyTorch on Windows

LESS_MEMORY = (
    'choose a smaller base in [base] model; on a CUDA card [base] quantize = "4bit" trains, [engine] precision = "4bit" speaks '
    "in a quarter of it"
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory ran out, on a card or beside it: PyTorch has an exception of its own for cards alone."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, OSError | RuntimeError) and any(said in str(error).lower() for said in _SAID)
