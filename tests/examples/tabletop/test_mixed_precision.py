from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from examples.tabletop.mixed_precision import AVERAGE_DECAY, MasterWeights, load_weights

ROOT = Path(__file__).resolve().parents[3]


def small_model(dtype: torch.dtype = torch.bfloat16) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(9, 11), nn.SiLU(), nn.Linear(11, 3)).to(dtype)


def masters_of(model: nn.Module, muon: bool = False) -> MasterWeights:
    masters = MasterWeights(model.float(), muon=muon)
    model.to(torch.bfloat16)
    return masters


def give_gradients(model: nn.Module, seed: int, size: float = 1.0) -> list[Tensor]:
    """Random bfloat16 gradients, and the same in float32."""
    generator = torch.Generator().manual_seed(seed)
    given = [size * torch.randn(p.shape, generator=generator) for p in model.parameters()]
    for parameter, gradient in zip(model.parameters(), given, strict=True):
        parameter.grad = gradient.to(parameter.dtype)
    return [p.grad.float() for p in model.parameters() if p.grad is not None]


def flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().float().flatten() for p in model.parameters()])


def test_updates_are_those_of_adamw_in_float32() -> None:
    model, reference = small_model(), small_model(torch.float32)
    reference.load_state_dict(model.state_dict())
    masters = masters_of(model)
    adamw = torch.optim.AdamW(reference.parameters(), lr=1.0, betas=(0.9, 0.99), weight_decay=0.01)
    for step in range(8):
        rate, size = 1e-3 * (step + 1), 0.01 if step % 2 else 3.0
        gradients = give_gradients(model, step, size)
        for parameter, gradient in zip(reference.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
        expected = torch.nn.utils.clip_grad_norm_(reference.parameters(), 1.0)
        adamw.param_groups[0]["lr"] = rate
        adamw.step()
        assert masters.update(rate) == pytest.approx(expected.item(), rel=1e-5)
        torch.testing.assert_close(masters.weights, flat(reference), rtol=1e-5, atol=1e-6)
        assert all(p.grad is None for p in model.parameters())
    assert masters.step == 8


def mixed_model() -> nn.ModuleDict:
    torch.manual_seed(2)
    parts = {"conv": nn.Conv2d(8, 16, 3), "wide": nn.Linear(16, 40), "words": nn.Embedding(20, 16)}
    return nn.ModuleDict(parts | {"last": nn.Linear(40, 4)}).to(torch.bfloat16)


def test_muon_moves_matrices_and_convolutions_alike_in_all_directions() -> None:
    model = mixed_model()
    masters = MasterWeights(model.float(), muon=True)
    before = [p.detach().clone() for p in model.parameters()]
    model.to(torch.bfloat16)
    give_gradients(model, 0)
    rate, decay = 1e-2, 0.01
    masters.update(rate)
    after = masters.weights.split([w.numel() for w in before])
    moved = [
        (end.view_as(start) - (1 - rate * decay) * start).flatten(1)
        for start, end in zip(before, after, strict=True)
        if start.ndim > 1
    ]
    conv, wide, words, last = moved
    for change in (conv, wide):
        # Orthogonal: every singular value alike, but for what five Newton-Schulz steps in bfloat16 leave.
        values = torch.linalg.svdvals(change) / (0.2 * rate * max(change.shape) ** 0.5)
        assert 0.5 < values.min() <= values.max() < 1.35
    for change in (words, last):
        torch.testing.assert_close(change.abs(), torch.full_like(change, rate), rtol=1e-3, atol=1e-6)


def test_the_model_computes_with_the_rounded_weights() -> None:
    model = small_model()
    masters = masters_of(model)
    give_gradients(model, 0)
    masters.update(1e-2)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert torch.equal(flat(model), masters.weights.bfloat16().float())


def test_steps_too_small_for_bfloat16_add_up() -> None:
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    masters = masters_of(model)
    rate, steps = 1e-5, 500
    for _ in range(steps):
        model.weight.grad = torch.full_like(model.weight, 0.5)
        masters.update(rate)
    # A constant gradient moves Adam by the rate; with the decay, w <- (1 - 0.01 rate) w - rate.
    expected = -100 + 101 * (1 - 0.01 * rate) ** steps
    assert masters.weights.item() == pytest.approx(expected, abs=4e-5)  # 500 roundings of float32
    assert 1 - model.weight.item() == pytest.approx(500 * rate, abs=2**-8)
    assert model.weight.item() < 1


def test_a_gradient_that_is_too_long_is_cut_to_length() -> None:
    long, short = masters_of(a := small_model()), masters_of(b := small_model())
    gradients = give_gradients(a, 0, 4.0)
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    for parameter, gradient in zip(b.parameters(), gradients, strict=True):
        parameter.grad = (gradient / norm * 2.0).to(torch.bfloat16)
    assert long.update(1e-2, largest=2.0) == pytest.approx(norm.item(), rel=1e-5)
    assert short.update(1e-2, largest=1e9) == pytest.approx(2.0, rel=1e-2)
    gradient = long.weights.grad
    assert gradient is not None
    assert gradient.norm().item() == pytest.approx(2.0, rel=1e-5)


def test_a_parameter_without_a_gradient_is_not_moved_by_its_last() -> None:
    model = small_model()
    masters = masters_of(model)
    give_gradients(model, 0)
    masters.update(1e-2)
    give_gradients(model, 1)
    first = next(model.parameters())
    first.grad = None
    masters.update(1e-2)
    gradient = masters.weights.grad
    assert gradient is not None
    assert not gradient[: first.numel()].any()


def test_the_average_follows_the_weights() -> None:
    model = small_model()
    masters = masters_of(model)
    expected = masters.weights.clone()
    torch.testing.assert_close(masters.average, expected)
    for step in range(1, 30):
        give_gradients(model, step)
        masters.update(1e-2)
        decay = min(AVERAGE_DECAY, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * masters.weights
        torch.testing.assert_close(masters.average, expected)
    masters.step, masters.average[:] = 10**6, 0
    give_gradients(model, 99)
    masters.update(0.0)
    torch.testing.assert_close(masters.average, (1 - AVERAGE_DECAY) * masters.weights)


@pytest.mark.parametrize("muon", [False, True])
def test_a_state_goes_on_as_if_nothing_had_happened(muon: bool) -> None:
    model = small_model()
    masters = masters_of(model, muon)
    for step in range(3):
        give_gradients(model, step)
        masters.update(1e-2)
    file = io.BytesIO()
    torch.save(masters.state_dict(), file)
    file.seek(0)
    torch.manual_seed(77)
    other = nn.Sequential(nn.Linear(9, 11), nn.SiLU(), nn.Linear(11, 3)).to(torch.bfloat16)
    resumed = masters_of(other, muon)
    resumed.load_state_dict(torch.load(file))
    assert torch.equal(flat(other), flat(model))
    for step in range(3, 6):
        for each, its_masters in ((model, masters), (other, resumed)):
            give_gradients(each, step)
            its_masters.update(1e-2)
        assert torch.equal(resumed.weights, masters.weights)
        assert torch.equal(resumed.average, masters.average)
        assert torch.equal(flat(other), flat(model))
    assert resumed.step == masters.step == 6


def test_a_vector_of_weights_goes_into_a_model() -> None:
    model, other = small_model(torch.float32), nn.Linear(5, 3)
    vector = torch.arange(flat(model).numel(), dtype=torch.float32)
    load_weights(model, vector)
    assert torch.equal(flat(model), vector)
    with pytest.raises((ValueError, RuntimeError)):
        load_weights(other, vector)


AVERAGED = """
import os, sys, tempfile, torch, torch.distributed as dist
from torch import nn
sys.path.append(os.getcwd())
from examples.tabletop.mixed_precision import MasterWeights

def work(rank, meeting, found):
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    model = nn.Linear(2, 1, bias=False)
    model.weight.data.fill_(1.0)
    masters = MasterWeights(model)
    model.weight.grad = torch.tensor([[0.1, 0.3]]) if rank else torch.tensor([[0.5, 0.1]])
    norm = masters.update(0.5)
    torch.save((norm, masters.weights, masters.weights.grad), f"{found}{rank}")
    dist.destroy_process_group()

torch.set_num_threads(1)
with tempfile.TemporaryDirectory() as folder:
    child = os.fork()
    work(0 if child else 1, f"{folder}/meeting", sys.argv[1])
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed")
def test_processes_share_the_mean_of_their_gradients(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", AVERAGED, str(tmp_path / "found")],
        cwd=ROOT,
        check=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    mean = torch.tensor([0.3, 0.2])
    for rank in (0, 1):
        norm, weights, gradient = torch.load(tmp_path / f"found{rank}")
        assert norm == pytest.approx(mean.norm().item())
        torch.testing.assert_close(gradient, mean)
        torch.testing.assert_close(weights, torch.full((2,), 1 - 0.5 - 0.5 * 0.01))
