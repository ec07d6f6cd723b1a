"""Instructions that the compiler writes seldom, in PTX by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from .counts import Counts
from .fault import Fault
from .interpreted import run_ptx

U32 = st.integers(0, 2**32 - 1)
NUMBERS = np.arange(128, dtype=np.float32)

# Each thread copies 16 bytes through shared memory; `at` is their place there.
COPY = """
    .shared .align 16 .b8 held[8192];
    mul.lo.s32 %r2, %r1, 16;   cvt.u64.u32 %rd3, %r2;   add.s64 %rd4, %rd1, %rd3;
    ld.global.v4.f32 {%f1, %f2, %f3, %f4}, [%rd4];
    mov.u64 %rd5, held;   mul.wide.u32 %rd6, %r1, {apart};   add.s64 %rd6, %rd5, %rd6;
    st.shared.v4.f32 [%rd6{shift}], {%f1, %f2, %f3, %f4};
    ld.shared.v2.f32 {%f5, %f6}, [%rd6{shift}];   add.s64 %rd7, %rd2, %rd3;
    st.global.v2.f32 [%rd7+8], {%f5, %f6};   st.global.v2.f32 [%rd7], {%f3, %f4};
"""


def copy(apart=16, shift=""):
    body, counts = COPY.replace("{apart}", str(apart)).replace("{shift}", shift), Counts()
    return run_ptx(body, NUMBERS, 0 * NUMBERS, counts=counts)[1], counts


def test_vectors_of_four_and_of_two_are_loaded_and_stored():
    y, counts = copy()
    np.testing.assert_array_equal(y, NUMBERS.reshape(-1, 2, 2)[:, ::-1].ravel())
    assert counts.bytes == {
        ("global", "read"): 512, ("shared", "written"): 512, ("shared", "read"): 256,
        ("global", "written"): 512,
    }  # fmt: skip


def test_a_vector_that_is_no_multiple_of_its_size_is_a_fault():
    with pytest.raises(Fault, match="thread 0 .*st.shared.v4.f32.* no multiple of 16"):
        copy(shift="+8")


def test_vectors_of_four_take_four_turns_and_more_where_a_quarter_meets_in_a_bank():
    """Quarters of 8 threads store, halves of 16 threads load."""
    assert copy(apart=16)[1].bank_conflicts == 2  # loads: 128 words from the first, the 9th again
    assert copy(apart=128)[1].bank_conflicts == 4 * 7 + 2 * 15


@given(st.lists(st.tuples(U32, U32, U32), min_size=32, max_size=32))
def test_multiply_add_and_bit_fields_of_whole_numbers(triples):
    a, b, c = np.array(triples, np.uint32).T
    body = """
        mul.wide.u32 %rd4, %r1, 4;   add.s64 %rd5, %rd1, %rd4;   add.s64 %rd6, %rd2, %rd4;
        add.s64 %rd7, %rd3, %rd4;
        ld.global.u32 %r2, [%rd5];   ld.global.u32 %r3, [%rd6];   ld.global.u32 %r4, [%rd7];
        mad.lo.s32 %r5, %r2, %r3, %r4;   st.global.u32 [%rd5], %r5;
        mul.hi.u32 %r6, %r2, %r3;   st.global.u32 [%rd6], %r6;
        bfe.u32 %r7, %r2, 5, 7;   bfi.b32 %r7, %r3, %r7, 9, 20;   st.global.u32 [%rd7], %r7;
    """
    low, high, field = run_ptx(body, a, b, c)
    assert low.tolist() == [(x * y + z) % 2**32 for x, y, z in triples]
    assert high.tolist() == [x * y >> 32 for x, y, _ in triples]
    assert field.tolist() == [x >> 5 & 127 | y % 2**20 << 9 for x, y, _ in triples]


def test_a_reduction_adds_in_shared_and_in_global_memory():
    body = """
        .shared .align 4 .b8 total[4];
        setp.ne.s32 %p1, %r1, 0;   @%p1 bra $AFTER;   st.shared.u32 [total], 7;
    $AFTER: bar.sync 0;   atom.shared.add.u32 %r2, [total], %r1;   bar.sync 0;
        ld.shared.u32 %r3, [total];   red.global.add.u32 [%rd1], %r3;
    """
    (found,) = run_ptx(body, np.array([1], np.uint32))
    assert found[0] == 1 + 32 * (7 + sum(range(32)))


def test_two_halves_are_put_together_and_taken_apart():
    body = """
        mov.b64 %rd2, {%r1, 9};   mov.b64 {%r2, %r3}, %rd2;   add.s32 %r4, %r2, %r3;
        mul.wide.u32 %rd3, %r1, 8;   add.s64 %rd4, %rd1, %rd3;   st.global.u32 [%rd4], %r4;
        st.global.u32 [%rd4+4], %r3;
    """
    (found,) = run_ptx(body, np.zeros(64, np.uint32))
    np.testing.assert_array_equal(found, np.stack([np.arange(32) + 9, np.full(32, 9)], 1).ravel())


@pytest.mark.parametrize(
    "statement",
    ["add.cc.u32 %r2, %r1, %r1;", "ld.f32 %f1, [%rd1];", "shfl.sync.idx.b32 %r2, %r1, 0, 31, -1;"],
)
def test_what_is_not_known_is_named_and_never_taken_for_something_else(statement):
    with pytest.raises(NotImplementedError, match=statement.partition(" ")[0]):
        run_ptx(statement, NUMBERS)
