"""Memory that ran out is told apart from other faults, in PyTorch's own words."""

import errno

import pytest
import torch

from persona.out_of_memory import is_out_of_memory


def test_pytorch_says_that_memory_ran_out() -> None:
    """On the CPU by its text alone; on a card by a class that this machine has too."""
    with pytest.raises(RuntimeError) as fault:
        torch.empty(10**15)
    assert is_out_of_memory(fault.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))


def test_python_and_the_kernel_say_so() -> None:
    """A mapped file is refused by the kernel."""
    with pytest.raises(MemoryError) as fault:
        bytearray(1 << 60)
    assert is_out_of_memory(fault.value)
    assert is_out_of_memory(RuntimeError("unable to mmap 2691 bytes from file <model>: Cannot allocate memory (12)"))
    assert is_out_of_memory(OSError(errno.ENOMEM, "kein Speicher"))


@pytest.mark.parametrize(
    "said",
    [
        "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
        "MPS backend out of memory (MPS allocated: 8.10 GiB, other allocations: 1.00 GiB, max allowed: 9.07 GiB)",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "std::bad_alloc",
        "The paging file is too small for this operation to complete. (os error 1455)",
    ],
)
def test_what_other_devices_say_is_understood(said: str) -> None:
    """As their sources word it."""
    assert is_out_of_memory(RuntimeError(said))


@pytest.mark.parametrize(
    "fault", [RuntimeError("shapes don't match"), ValueError("not enough memory cells"), OSError("disk")]
)
def test_other_faults_are_others(fault: Exception) -> None:
    """A user's own words are no allocator's."""
    assert not is_out_of_memory(fault)
