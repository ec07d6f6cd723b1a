"""A kernel for each thing that kernels must not do, and for its neighbour that they may."""

import numpy as np
import pytest
from numba import float32, int64

from minicnn.backends.cuda.device import cuda

from .fault import Fault
from .host import DeviceArray, to_device

THREADS = 64


def launch(kernel, *arrays, blocks=1, threads=THREADS):
    """Run it on copies of the arrays; an int stands for so many numbers that nobody wrote."""
    made = [DeviceArray(a, "f4") if isinstance(a, int) else to_device(a) for a in arrays]
    kernel[blocks, threads](*made)
    return [a.copy_to_host() for a in made]


ONES = np.ones(THREADS, np.float32)


@cuda.jit
def shifted(x, y):
    t = cuda.grid(1)
    y[t] = x[t + 1]


def test_a_read_beyond_an_array_is_a_fault_that_says_where():
    launch(shifted, np.ones(THREADS + 1, "f"), THREADS)
    wanted = r"test_faults.shifted: thread 63 of block 0: `ld.global.f32 .*outside.* byte 256 of x"
    with pytest.raises(Fault, match=wanted):
        launch(shifted, ONES, THREADS)


def test_a_write_beyond_an_array_is_a_fault_in_a_part_of_a_larger_one_too():
    whole = to_device(np.zeros(2 * THREADS, np.float32))
    x = to_device(np.ones(THREADS + 1, np.float32))
    shifted[1, THREADS](x, whole[:THREADS])
    with pytest.raises(Fault, match="thread 63 of block 0: `st.global.f32 .* byte 252 of y"):
        shifted[1, THREADS](x, whole[: THREADS - 1])


@cuda.jit
def through_shared(x, y, first):
    shared = cuda.shared.array(64, float32)
    t = cuda.threadIdx.x
    shared[t + first[0]] = x[t]
    y[t] = shared[t + first[0]]


def test_a_write_beyond_a_shared_array_is_a_fault():
    launch(through_shared, ONES, THREADS, np.array([0]))
    with pytest.raises(Fault, match="thread 63 of block 0: `st.shared.f32 .*outside"):
        launch(through_shared, ONES, THREADS, np.array([1]))


def test_an_address_that_is_no_multiple_of_the_size_is_a_fault():
    x = to_device(np.ones(THREADS + 2, np.float32))[1:]
    x.address += 2
    with pytest.raises(Fault, match="no multiple of 4"):
        shifted[1, THREADS](x, DeviceArray(THREADS, "f4"))


def test_a_read_of_what_nobody_wrote_is_a_fault():
    with pytest.raises(Fault, match="`ld.global.f32 .*nobody wrote"):
        launch(shifted, THREADS + 1, THREADS)

    @cuda.jit
    def shared_only(y):
        shared = cuda.shared.array(64, float32)
        if cuda.threadIdx.x < 60:
            shared[cuda.threadIdx.x] = 1
        cuda.syncthreads()
        y[cuda.threadIdx.x] = shared[cuda.threadIdx.x]

    with pytest.raises(Fault, match="thread 60 of block 0: `ld.shared.f32 .*nobody wrote"):
        shared_only[1, THREADS](DeviceArray(THREADS, "f4"))


def turned(waits):
    """Each thread gets its neighbour's number, through shared memory."""

    @cuda.jit
    def run(x, y):
        shared = cuda.shared.array(64, float32)
        t = cuda.threadIdx.x
        shared[t] = x[t]
        if waits:
            cuda.syncthreads()
        y[cuda.grid(1)] = shared[(t + 1) % 64]

    return run


def test_reads_of_anothers_number_without_a_barrier_are_a_race():
    (_, y) = launch(turned(True), np.arange(64, dtype="f"), 128, blocks=2)
    np.testing.assert_array_equal(y, np.tile(np.roll(np.arange(64), -1), 2))
    with pytest.raises(Fault, match="`ld.shared.f32 .* reads what another thread wrote"):
        launch(turned(False), np.arange(64, dtype="f"), 128, blocks=2)


@cuda.jit
def in_place(x, waits):
    t = cuda.threadIdx.x
    found = x[(t + 1) % 64]
    if waits[0]:
        cuda.syncthreads()
    x[t] = found


def test_a_write_where_another_has_just_read_is_a_race_in_global_memory_too():
    (x, _) = launch(in_place, np.arange(64, dtype="f"), np.array([1]))
    np.testing.assert_array_equal(x, np.roll(np.arange(64), -1))
    with pytest.raises(Fault, match="`st.global.f32 .* writes what another thread read"):
        launch(in_place, np.arange(64, dtype="f"), np.array([0]))


def test_no_barrier_orders_two_blocks():
    @cuda.jit
    def handed_on(x, y):
        if cuda.blockIdx.x == 0:
            x[cuda.threadIdx.x] = 2
        cuda.syncthreads()
        if cuda.blockIdx.x == 1:
            y[cuda.threadIdx.x] = x[cuda.threadIdx.x]

    launch(handed_on, ONES, THREADS)
    with pytest.raises(Fault, match="thread 0 of block"):
        launch(handed_on, ONES, THREADS, blocks=2)


def test_launches_are_ordered():
    x, y = to_device(np.ones(THREADS + 1, np.float32)), to_device(np.ones(THREADS + 1, np.float32))
    for _ in range(3):
        shifted[1, THREADS](x, y)
        shifted[1, THREADS](y, x)


@cuda.jit
def all_to_one(x, y):
    cuda.syncthreads()
    y[0] = x[cuda.grid(1)]


def test_two_threads_that_write_one_number_race():
    launch(all_to_one, ONES, 1, threads=1)
    with pytest.raises(Fault, match="writes what another thread wrote"):
        launch(all_to_one, ONES, 1)


@cuda.jit
def summed(x, total):
    cuda.atomic.add(total, 0, x[cuda.grid(1)])


@cuda.jit
def summed_without_care(x, total):
    total[0] += x[cuda.grid(1)]


def test_atomic_additions_do_not_race_and_others_do():
    x = np.arange(128)
    assert launch(summed, x, np.array([5]), blocks=2)[1] == x.sum() + 5
    with pytest.raises(Fault):
        launch(summed_without_care, x, np.array([5]), blocks=2)


@cuda.jit
def some_wait(x, y, kind):
    shared = cuda.shared.array(64, int64)
    t = cuda.threadIdx.x
    shared[t] = x[t]
    if kind[0] == 1 and t == 40:
        return
    if kind[0] == 2 and t == 40:
        cuda.syncthreads()
        y[t] = 1
    else:
        cuda.syncthreads()
        y[t] = 2


def test_a_barrier_that_a_thread_never_reaches_is_a_fault():
    launch(some_wait, np.arange(64), THREADS, np.array([0]))
    with pytest.raises(Fault, match="thread 40 of block 0: `bar.sync 0` .* has ended"):
        launch(some_wait, np.arange(64), THREADS, np.array([1]))


def test_threads_of_a_block_that_wait_at_different_barriers_are_a_fault():
    with pytest.raises(Fault, match="of block 0: `bar.sync 0` .* waits at another"):
        launch(some_wait, np.arange(64), THREADS, np.array([2]))


def test_neighbours_of_one_byte_do_not_race():
    @cuda.jit
    def copied(x, y):
        y[cuda.grid(1)] = x[cuda.grid(1)]

    x = np.arange(64, dtype=np.uint8)
    np.testing.assert_array_equal(launch(copied, x, np.zeros(64, np.uint8))[1], x)


def test_a_grid_or_a_block_that_no_gpu_takes_is_refused():
    with pytest.raises(ValueError, match="grid"):
        shifted[(1, 65536), 32]
    with pytest.raises(ValueError, match="block"):
        shifted[1, 1025]


def test_a_copy_of_another_size_is_refused():
    with pytest.raises(ValueError, match="float32"):
        DeviceArray(3, "f4").copy_to_device(np.zeros(4, "f"))
