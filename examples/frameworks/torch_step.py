"""A training step of PyTorch: eager on the CPU or a GPU, or replayed as a CUDA graph."""

import numpy as np
import torch
from torch import nn

from frameworks.workloads import RATE, Workload

LAYERS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "flatten": nn.Flatten}


def network(work: Workload) -> nn.Sequential:
    layers, example = [], torch.zeros(1, *work.shape)
    for kind, *arguments in work.layers:
        if kind == "conv":
            filters, kernel, *padding = arguments
            layer = nn.Conv2d(example.shape[1], filters, kernel, padding=(*padding, "same")[0])
        elif kind == "dense":
            layer = nn.Linear(example.shape[1], *arguments)
        elif kind == "pool":
            layer = nn.MaxPool2d(2, ceil_mode=True)
        else:
            layer = LAYERS[kind]()
        layers.append(layer)
        example = layer(example)
    return nn.Sequential(*layers)


def build(work: Workload, threads: int, x: np.ndarray, labels: np.ndarray, layout: str):
    torch.set_num_threads(threads)
    net, images, target = network(work), torch.from_numpy(x), torch.from_numpy(labels)
    if layout == "nhwc" and images.ndim == 4:
        net = net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    if work.outputs == 1:
        loss, target = nn.BCEWithLogitsLoss(), target[:, None].float()
    else:
        loss = nn.CrossEntropyLoss()
    if layout.startswith("cuda"):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        net, images, target = net.cuda(), images.cuda(), target.cuda()
    graphed = layout == "cuda graph"
    if work.optimizer == "adam":
        optimizer = torch.optim.Adam(net.parameters(), RATE, capturable=graphed)
    else:
        optimizer = torch.optim.SGD(net.parameters(), RATE)

    def train() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(net(images), target)
        value.backward()
        optimizer.step()
        return value

    if graphed:
        train = as_graph(train)

    def step() -> float:
        return train().item()

    if layout.startswith("cuda"):
        step.milliseconds = lambda count: milliseconds(train, count)
    return step


def as_graph(train):
    """Record a step once, and replay it."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):  # what is recorded must have run before, on another stream
        for _ in range(3):
            train()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value = train()

    def replay() -> torch.Tensor:
        graph.replay()
        return value

    return replay


def milliseconds(run, count: int) -> float:
    """The mean over `count` calls, by the GPU's clock."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(count):
        run()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / count
