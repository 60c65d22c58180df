"""Products in float32 of numbers rounded to half as many bits are those of the shorter format."""

import pytest
import torch

from bench.rounded_products import RoundedProducts


def _way_and_back(half: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Return a layer's output and gradients, computed in `half` by PyTorch."""
    draws = torch.Generator().manual_seed(3)
    words, weights = (torch.randn(*shape, generator=draws).to(half).requires_grad_() for shape in ((40, 96), (64, 96)))
    output = torch.nn.functional.linear(words, weights, torch.ones(64).to(half))
    batched = torch.bmm(output[None], output[None].transpose(1, 2))
    batched.sum().backward()
    assert words.grad is not None
    assert weights.grad is not None
    return output.detach(), batched.detach(), words.grad, weights.grad


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_rounded_products_are_those_of_pytorch(half: torch.dtype) -> None:
    """Both ways, but for the order of sums: one unit in the last place."""
    expected, last = _way_and_back(half), torch.finfo(half).eps
    with RoundedProducts():
        found = _way_and_back(half)
    for one, other in zip(expected, found, strict=True):
        assert one.dtype == other.dtype == half
        torch.testing.assert_close(one.float(), other.float(), rtol=last, atol=last * float(one.abs().mean()))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_a_layer_that_comes_as_one_operator_is_rounded_products_too(half: torch.dtype) -> None:
    """As in inference mode: sums in float32, which PyTorch's own products in float16 aren't everywhere."""
    words, weights = (
        torch.randn(*shape, generator=torch.Generator().manual_seed(3)).to(half) for shape in ((9, 96), (64, 96))
    )
    with torch.inference_mode(), RoundedProducts():
        found = torch.nn.functional.linear(words, weights)
    assert torch.equal(found, (words.float() @ weights.float().T).to(half))


def test_float32_products_are_left_as_they_are() -> None:
    """Nothing is rounded that isn't short already."""
    draws = torch.Generator().manual_seed(3)
    one, other = torch.randn(30, 20, generator=draws), torch.randn(20, 10, generator=draws)
    with RoundedProducts():
        assert torch.equal(one @ other, torch.mm(one, other))
        product = one @ other
    assert product.dtype == torch.float32
    assert torch.equal(product, one @ other)
