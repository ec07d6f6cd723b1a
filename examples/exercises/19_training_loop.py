"""19 The training loop: all the pieces, a few thousand times.

A network, a loss and an optimizer are there, with a forward and a backward that you know from
inside. What is missing is who calls them: an epoch shows every card once, in a new order, a batch
at a time, and each batch makes one step. Then the network must tell cards apart that it has never
seen.

Read: docs/one-step.md, The update
"""

# Predict: five kinds of cards. Images are shuffled, but their labels stay in order. How many unseen
# cards will be right?
#   "a" nearly all        "b" about half        "c" about one in five
PREDICTION = ...


def train(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """Train the network: in every epoch each image once, in a new order that rng draws
    (rng.permutation), batch_size at a time; the last batch may be smaller.

    A step is
        network.forward(x, training=True)     the predictions for images x
        loss.forward(predictions, labels)     the loss, a number
        loss.backward()                       its gradient, which network.backward(…) takes
        optimizer.step(network.parameters())  moves the parameters against their gradients

    images (N, 1, H, W) float32, labels (N,) int → a list: the mean of each epoch's losses.
    """
    ...  # about 12 lines
