import os
import signal
import threading

import pytest

from minicnn import SGD, SoftmaxCrossEntropy, fit
from minicnn.training.interrupt import WholeSteps
from tests.strategies import stripes
from tests.training.small import every_backend, network, weights


def test_ctrl_c_waits_for_the_end_of_a_step_and_only_of_one():
    reached = []
    with pytest.raises(KeyboardInterrupt), WholeSteps() as whole:
        whole.step_ends()
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end of the step")
        whole.step_ends()
        reached.append("the next step")
    assert reached == ["the end of the step"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_the_last_step_waits_for_the_end_of_the_block():
    with pytest.raises(KeyboardInterrupt), WholeSteps():
        os.kill(os.getpid(), signal.SIGINT)


def test_a_second_ctrl_c_does_not_wait():
    reached = []
    with pytest.raises(KeyboardInterrupt), WholeSteps():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        reached.append("the end of the step")
    assert not reached


def test_where_somebody_handles_ctrl_c_in_a_way_of_their_own_it_stays_so():
    def own(signum, frame):
        reached.append(signum)

    reached, before = [], signal.signal(signal.SIGINT, own)
    try:
        with WholeSteps():
            os.kill(os.getpid(), signal.SIGINT)
            assert reached == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is own
    finally:
        signal.signal(signal.SIGINT, before)


def test_what_goes_wrong_in_a_step_is_told_even_if_ctrl_c_came_as_well():
    with pytest.raises(ValueError, match="wrong"), WholeSteps():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("wrong")


@every_backend
def test_ctrl_c_in_training_leaves_the_network_as_after_the_last_whole_step(backend):
    """Interrupt at a random moment; the state must be one that whole steps pass through."""
    passed, count = set(), 30
    images, labels = stripes(16 * count)

    class Recorder(SGD):
        def update(self, *arguments):
            super().update(*arguments)
            passed.add(weights(net))

    for delay in (0.01, 0.02, 0.05):
        net = network().to(backend)
        passed.add(weights(net))
        timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            timer.start()
            for _ in range(1000):
                fit(net, SoftmaxCrossEntropy(), Recorder(0.1), (images, labels), batch_size=16,
                    progress=False)  # fmt: skip
                net.reseed(0)
                passed.add(weights(net))
        timer.join()
        assert weights(net) in passed
