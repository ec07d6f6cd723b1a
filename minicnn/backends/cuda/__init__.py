"""Hand-written kernels for NVIDIA GPUs: a thread for an image, a pixel or a piece of a product.

Start with `device.py` (what a kernel is and how it is launched), `arrays.py` (how a batch lies in
memory) and `tile.py` (the matrix product behind convolutions and dense layers); the other files
stand beside those of the same name in `backends/numpy`.
"""

from .activation import (
    leaky_relu_backward,
    leaky_relu_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    tanh_backward,
    tanh_forward,
)
from .arrays import (
    allocate,
    from_numpy,
    join,
    read,
    reshape,
    synchronize,
    to_float,
    to_numpy,
    write,
)
from .bias import bias_forward, bias_gradient
from .convolution import conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient
from .data import gather, pick, upload
from .dense import dense_forward, dense_input_gradient, dense_weight_gradient
from .device import Buffers
from .dropout import dropout_backward, dropout_forward
from .loss import (
    count_correct,
    mean_squared_error_backward,
    mean_squared_error_forward,
    sigmoid_cross_entropy_backward,
    sigmoid_cross_entropy_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from .normalization import (
    batch_norm_backward,
    batch_norm_forward,
    batch_norm_inference,
    batch_norm_inference_backward,
)
from .pooling import avg_pool_backward, avg_pool_forward, max_pool_backward, max_pool_forward
from .steps import Steps
from .update import (
    adagrad_update,
    adam_update,
    add_penalty_gradient,
    clip,
    penalty,
    rmsprop_update,
    sgd_update,
)

__all__ = [
    "Buffers",
    "Steps",
    "adagrad_update",
    "adam_update",
    "add_penalty_gradient",
    "allocate",
    "avg_pool_backward",
    "avg_pool_forward",
    "batch_norm_backward",
    "batch_norm_forward",
    "batch_norm_inference",
    "batch_norm_inference_backward",
    "bias_forward",
    "bias_gradient",
    "clip",
    "conv2d_forward",
    "conv2d_input_gradient",
    "conv2d_weight_gradient",
    "count_correct",
    "dense_forward",
    "dense_input_gradient",
    "dense_weight_gradient",
    "dropout_backward",
    "dropout_forward",
    "from_numpy",
    "gather",
    "join",
    "leaky_relu_backward",
    "leaky_relu_forward",
    "max_pool_backward",
    "max_pool_forward",
    "mean_squared_error_backward",
    "mean_squared_error_forward",
    "penalty",
    "pick",
    "read",
    "relu_backward",
    "relu_forward",
    "reshape",
    "rmsprop_update",
    "sgd_update",
    "sigmoid_backward",
    "sigmoid_cross_entropy_backward",
    "sigmoid_cross_entropy_forward",
    "sigmoid_forward",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "synchronize",
    "tanh_backward",
    "tanh_forward",
    "to_float",
    "to_numpy",
    "upload",
    "write",
]
