"""The steps of an epoch, taken on the host one after the other."""

from math import isfinite


class Steps:
    """`contract.EpochSteps` where nothing is gained by replaying: both functions are called."""

    def __init__(self, dtype, state=(), repeatable=True, same_update=True) -> None:
        self.state = [(array, array.copy()) for array in state]

    def start(self, batches, rates, taken):
        self.batches, self.rates, self.taken = batches, rates, taken
        self.losses, self.right = [], []

    def take(self, compute, update):
        k = len(self.losses)
        if k and not isfinite(self.losses[-1]):
            return
        for array, before in self.state:
            before[...] = array
        loss, right = self.result(compute, self.batches[k])
        self.losses.append(float(loss))
        self.right.append(int(right or 0))
        if isfinite(loss):
            update(self.rates[k], self.taken + k + 1)
            return
        for array, before in self.state:
            array[...] = before

    def result(self, compute, indices):
        """Loss and right answers of a step."""
        return compute(indices)

    def read(self):
        return self.losses, self.right
