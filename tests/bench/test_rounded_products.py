"""Products in float32 of numbers rounded to bfloat16 are bfloat16's."""

import torch

from bench.rounded_products import RoundedProducts


def _way_and_back() -> tuple[torch.Tensor, ...]:
    """Return a layer's output and gradients, computed in bfloat16 by PyTorch."""
    draws = torch.Generator().manual_seed(3)
    words, weights = (
        torch.randn(*shape, generator=draws).bfloat16().requires_grad_() for shape in ((40, 96), (64, 96))
    )
    output = torch.nn.functional.linear(words, weights, torch.ones(64).bfloat16())
    batched = torch.bmm(output[None], output[None].transpose(1, 2))
    batched.sum().backward()
    assert words.grad is not None
    assert weights.grad is not None
    return output.detach(), batched.detach(), words.grad, weights.grad


def test_rounded_products_are_those_of_pytorch() -> None:
    """Both ways, but for the order of sums: one unit in the last of bfloat16's eight bits."""
    expected = _way_and_back()
    with RoundedProducts():
        found = _way_and_back()
    for one, other in zip(expected, found, strict=True):
        assert one.dtype == other.dtype == torch.bfloat16
        torch.testing.assert_close(one.float(), other.float(), rtol=2**-7, atol=2**-7 * float(one.abs().mean()))
        assert (one == other).float().mean() > 0.95


def test_float32_products_are_left_as_they_are() -> None:
    """Nothing is rounded that isn't in bfloat16 already."""
    draws = torch.Generator().manual_seed(3)
    one, other = torch.randn(30, 20, generator=draws), torch.randn(20, 10, generator=draws)
    with RoundedProducts():
        assert torch.equal(one @ other, torch.mm(one, other))
        product = one @ other
    assert product.dtype == torch.float32
    assert torch.equal(product, one @ other)
