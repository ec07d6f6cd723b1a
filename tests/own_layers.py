"""Layers of somebody's own, with no base class: all that gradcheck asks for."""

import numpy as np


class Square:
    """y = (a · x)²."""

    class Scale:
        value, grad = np.array([1.5]), None

    def __init__(self, factor=2.0):
        self.a, self.factor = Square.Scale(), factor

    def parameters(self):
        return [self.a]

    def forward(self, x, training=False):
        self.x = x
        return (self.a.value * x) ** 2

    def backward(self, dy):
        slope = self.factor * self.a.value * self.x
        self.a.grad = np.array([(dy * slope * self.x).sum()])
        return dy * slope * self.a.value


class Scale(Square):
    """y = factor · a · x + offset."""

    def __init__(self, factor=1.0, offset=0.0, wrong=1.0):
        self.a, self.factor, self.offset, self.wrong = Square.Scale(), factor, offset, wrong

    def forward(self, x, training=False):
        self.x = x
        return self.factor * self.a.value * x + self.offset

    def backward(self, dy):
        self.a.grad = np.array([self.wrong * self.factor * (dy * self.x).sum()])
        return self.wrong * self.factor * dy * self.a.value


class Wave(Square):
    """y = sin(factor · a · x)."""

    def forward(self, x, training=False):
        self.x = x
        return np.sin(self.factor * self.a.value * x)

    def backward(self, dy):
        slope = self.factor * np.cos(self.factor * self.a.value * self.x)
        self.a.grad = np.array([(dy * slope * self.x).sum()])
        return dy * slope * self.a.value
