import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends
from minicnn.backends import scalar
from minicnn.backends.philox import keep_threshold, philox4x32, words


@pytest.mark.parametrize(
    ("counter", "key", "wanted"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4,
            (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_the_words_are_those_of_the_papers_own_test_vectors(counter, key, wanted):
    assert tuple(int(w) for w in philox4x32(counter, key)) == wanted


@given(st.integers(1, 9), st.integers(1, 40), st.integers(0, 2**31))
def test_a_word_depends_on_its_place_alone_not_on_how_many_are_drawn(samples, elements, step):
    all_words = words((1, 2), step, 10, 41)
    assert np.array_equal(words((1, 2), step, samples, elements), all_words[:samples, :elements])


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_of_words_below_the_threshold_is_p(p):
    drawn = words((7, 0), 3, 1000, 1000)
    share = (drawn < keep_threshold(p)).mean()
    assert abs(share - p) < 6 * np.sqrt(p * (1 - p) / drawn.size)


@pytest.mark.parametrize("backend", backends.available())
def test_a_word_at_the_threshold_itself_is_kept(backend):
    drawn = words((7, 0), 3, 2, 8)
    ops, p = backends.get(backend), int(drawn[1, 4]) / 2**32
    x, (step,) = ops.from_numpy(np.ones((2, 8), "f")), ops.allocate([np.array([3])])
    _, mask = ops.dropout_forward(x, p, (7, 0), step, ops.Buffers())
    assert np.array_equal(ops.to_numpy(mask) > 0, drawn >= drawn[1, 4])


def test_other_seeds_and_steps_draw_other_words():
    first = words((1, 0), 0, 4, 64)
    for other in (words((2, 0), 0, 4, 64), words((1, 1), 0, 4, 64), words((1, 0), 1, 4, 64)):
        assert (first != other).mean() > 0.99


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("step", [0, 7])
def test_a_batch_counts_as_one_step(backend, step):
    ops = backends.get(backend)
    (counter,) = ops.allocate([np.array([step])])
    for _ in range(2):
        batch = ops.from_numpy(np.ones((3, 5)))
        _, mask = ops.dropout_forward(batch, 0.5, (1, 2), counter, ops.Buffers())
    drawn = words((1, 2), step + 1, 3, 5) >= keep_threshold(0.5)
    np.testing.assert_array_equal(ops.to_numpy(mask) > 0, drawn)


@given(st.tuples(*[st.integers(0, 2**32 - 1)] * 2), st.integers(0, 99), st.integers(0, 99))
def test_one_counter_of_philox_gives_four_of_the_words_that_numpy_draws(seed, step, sample):
    four = scalar.philox4x32(*map(np.uint64, (1, sample, step, 0, *seed)))
    assert list(four) == list(words(seed, step, sample + 1, 8)[sample, 4:])
