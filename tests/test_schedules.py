"""The schedules: bounds, slopes and ends as properties; PyTorch's schedulers as an oracle."""

import dataclasses
import math
import re
from functools import partial

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minicnn.schedules import Cosine, OneCycle, StepDecay, WarmUp

lengths = st.floats(0.5, 200.0)
fractions = st.floats(0.0, 1.0)
divisors = st.floats(1.0, 1e4)
epochs = st.floats(0.0, 500.0)

step_decays = st.builds(StepDecay, every=lengths, gamma=st.floats(0.01, 1.0))
cosines = st.builds(Cosine, epochs=lengths, floor=fractions)
one_cycles = st.builds(
    OneCycle,
    epochs=lengths,
    warmup=st.floats(0.05, 0.95),
    div_factor=divisors,
    final_div_factor=divisors,
)
plain = step_decays | cosines | one_cycles
warm_ups = st.builds(WarmUp, epochs=lengths, then=st.none() | plain, start=fractions)


def steepest(schedule):
    """The largest slope, per epoch, that the formula of a smooth schedule allows."""
    match schedule:
        case None:
            return 0.0
        case Cosine():
            return math.pi / 2 / schedule.epochs
        case OneCycle():
            return math.pi / 2 / (schedule.epochs * min(schedule.warmup, 1 - schedule.warmup))
        case WarmUp():
            return max(1 / schedule.epochs, steepest(schedule.then))


@given(plain | warm_ups, epochs)
def test_a_factor_lies_between_zero_and_one(schedule, epoch):
    assert 0.0 <= schedule(epoch) <= 1.0 + 1e-15


@given(
    cosines | one_cycles | st.builds(WarmUp, lengths, st.none() | cosines, fractions),
    epochs,
    st.floats(0.0, 5.0),
)
def test_a_smooth_schedule_has_no_jumps(schedule, epoch, ahead):
    change = abs(schedule(epoch + ahead) - schedule(epoch))
    assert change <= steepest(schedule) * ahead + 1e-12


@given(step_decays | cosines, epochs, st.floats(0.0, 100.0))
def test_step_decay_and_cosine_never_rise(schedule, epoch, ahead):
    assert schedule(epoch + ahead) <= schedule(epoch) + 1e-15


@given(st.integers(1, 30), st.floats(0.01, 1.0), st.integers(0, 20), st.integers(1, 50))
def test_step_decay_drops_with_the_first_update_of_an_epoch(every, gamma, drops, steps):
    schedule = StepDecay(every, gamma)
    first = every * drops
    last = every * (drops + 1) - 1 + (steps - 1) / steps
    assert schedule(first) == schedule(last) == gamma**drops
    assert schedule(first + every) == gamma ** (drops + 1)


@pytest.mark.parametrize("drops", [5, 10, 100])
def test_step_decay_drops_by_parts_of_an_epoch_too(drops):
    assert StepDecay(1 / drops, 0.5)(1) == 0.5**drops


@given(cosines, st.floats(0.0, 100.0))
def test_cosine_falls_from_one_to_its_floor_and_stays_there(schedule, after):
    assert schedule(0) == 1.0
    assert schedule(schedule.epochs / 2) == pytest.approx((1 + schedule.floor) / 2)
    assert schedule(schedule.epochs + after) == schedule.floor


@given(one_cycles, fractions, fractions)
def test_one_cycle_rises_to_its_peak_and_then_falls(schedule, one, other):
    peak = schedule.warmup * schedule.epochs
    early, late = sorted((one, other))
    assert schedule(early * peak) <= schedule(late * peak) + 1e-15
    rest = schedule.epochs - peak
    assert schedule(peak + early * rest) >= schedule(peak + late * rest) - 1e-15


@given(one_cycles, st.floats(1e-9, 100.0))
def test_one_cycle_begins_peaks_and_ends_where_it_says(schedule, after):
    begin = 1 / schedule.div_factor
    assert schedule(0) == pytest.approx(begin)
    assert schedule(schedule.warmup * schedule.epochs) == 1.0
    assert schedule(schedule.epochs + after) == pytest.approx(begin / schedule.final_div_factor)


@given(warm_ups, fractions)
def test_a_warm_up_is_a_straight_line_from_its_start_to_one(schedule, part):
    if part < 1:
        expected = (1 - part) * schedule.start + part
        assert schedule(part * schedule.epochs) == pytest.approx(expected)


@given(lengths, fractions, epochs)
def test_a_warm_up_ends_exactly_at_one(length, start, after):
    assert WarmUp(length, start=start)(length) == 1.0
    assert WarmUp(length, start=start)(length + after) == 1.0
    assert WarmUp(length, Cosine(10.0), start)(length) == 1.0


@given(st.integers(1, 100), plain, st.integers(0, 200), st.integers(0, 7))
@example(2, OneCycle(10.0), 0, 0)  # which begins far below 1
def test_what_follows_a_warm_up_counts_its_time_from_the_end_of_it(length, then, epoch, eighth):
    after = epoch + eighth / 8  # exact in binary, so that adding and subtracting changes nothing
    assert WarmUp(length, then)(length + after) == then(after)


def test_a_schedule_cannot_be_changed_and_equals_its_twin():
    schedule = WarmUp(5, Cosine(10))
    assert schedule == WarmUp(5, Cosine(10))
    with pytest.raises(dataclasses.FrozenInstanceError):
        schedule.epochs = 6


@pytest.mark.parametrize(
    ("make", "field", "outside", "limits"),
    [
        (StepDecay, "every", [0], "> 0"),
        (partial(StepDecay, 1), "gamma", [0, 1.5], "> 0 and ≤ 1"),
        (Cosine, "epochs", [0], "> 0"),
        (partial(Cosine, 1), "floor", [1.1], "≥ 0 and ≤ 1"),
        (OneCycle, "epochs", [0], "> 0"),
        (partial(OneCycle, 1), "warmup", [0, 1], "> 0 and < 1"),
        (partial(OneCycle, 1), "div_factor", [0.5], "≥ 1"),
        (partial(OneCycle, 1), "final_div_factor", [0.5], "≥ 1"),
        (WarmUp, "epochs", [0], "> 0"),
        (partial(WarmUp, 1), "start", [1.1], "≥ 0 and ≤ 1"),
    ],
)
def test_a_field_out_of_range_is_named_with_what_was_got_and_wanted(make, field, outside, limits):
    for wrong in [*outside, -1, math.nan, math.inf, -math.inf]:
        message = f"{field}: got {wrong}, wanted a finite number {limits}"
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            make(**{field: wrong})


@pytest.mark.parametrize("epoch", [-1, math.nan, math.inf])
@pytest.mark.parametrize("schedule", [StepDecay(1), Cosine(1), OneCycle(1), WarmUp(1)])
def test_an_epoch_that_is_no_moment_of_training_is_refused(schedule, epoch):
    with pytest.raises(ValueError, match=f"^epoch: got {epoch}, wanted a finite number ≥ 0"):
        schedule(epoch)


def test_fields_of_the_wrong_type_are_refused():
    with pytest.raises(TypeError, match=r"^epochs: got '3', wanted a number"):
        Cosine("3")
    with pytest.raises(TypeError, match=r"^WarmUp: then must be a schedule or None, got 0\.5"):
        WarmUp(1, then=0.5)
    with pytest.raises(TypeError, match=r"^WarmUp: then is the class Cosine; write Cosine\(…\)"):
        WarmUp(1, then=Cosine)


def torch_factors(make_scheduler, updates):
    """The learning rate that a PyTorch scheduler sets for each of so many updates, over the base.

    make_scheduler takes an optimiser whose learning rate is 1.
    """
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = make_scheduler(torch.optim.lr_scheduler, optimizer)
    factors = []
    for _ in range(updates):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return factors


def test_step_decay_agrees_with_pytorch():
    expected = torch_factors(lambda lr, optimizer: lr.StepLR(optimizer, 3, gamma=0.3), 20)
    assert [StepDecay(3, 0.3)(epoch) for epoch in range(20)] == pytest.approx(expected)


def test_cosine_agrees_with_pytorch():
    expected = torch_factors(
        lambda lr, optimizer: lr.CosineAnnealingLR(optimizer, 12, eta_min=0.05), 12
    )
    assert [Cosine(12, 0.05)(epoch) for epoch in range(12)] == pytest.approx(expected)


def test_a_warm_up_and_then_a_cosine_agree_with_pytorch():
    expected = torch_factors(
        lambda lr, optimizer: lr.SequentialLR(
            optimizer,
            [
                lr.LinearLR(optimizer, start_factor=0.2, total_iters=5),
                lr.CosineAnnealingLR(optimizer, 10),
            ],
            milestones=[5],
        ),
        15,
    )
    schedule = WarmUp(5, Cosine(10), start=0.2)
    assert [schedule(epoch) for epoch in range(15)] == pytest.approx(expected)


def test_one_cycle_agrees_with_pytorch_whose_peak_and_end_come_one_update_earlier():
    updates, warmup = 40, 0.3
    expected = torch_factors(
        lambda lr, optimizer: lr.OneCycleLR(
            optimizer, max_lr=1.0, total_steps=updates, pct_start=warmup, cycle_momentum=False
        ),
        updates,
    )
    schedule = OneCycle(updates, warmup)  # one update an epoch
    peak = warmup * updates
    rising = [schedule(update * peak / (peak - 1)) for update in range(12)]
    falling = [schedule(update + 1) for update in range(12, updates)]
    assert rising + falling == pytest.approx(expected)
