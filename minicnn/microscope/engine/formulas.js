// The formulas of each kind, in words: forward, back, the slope of a curve, and a wire's factor.

const FORMULAS = {
  Conv2D: "y = Σ w · x over its window, + b",
  ConvTranspose2D: "y = Σ w · x of all that paint it, + b",
  Dense: "y = Σ w · x, + b",
  AvgPool2D: "y = the mean of its window",
  GlobalAvgPool2D: "y = the mean of its channel",
  Flatten: "y = x", Reshape: "y = x",
  Dropout: "y = x · mask / (1 − p)",
  Standardize: "y = (x − mean) / std",
  BatchNorm: "y = γ · x̂ + β, x̂ = (x − μ) / σ", GroupNorm: "y = γ · x̂ + β, x̂ = (x − μ) / σ",
  Residual: "y = s + f: the shortcut and the layers",
  Measured: "computed in Python; close to here y = Σ slope · x + rest",
  Parallel: "y = f₀, f₁, …: the branches side by side",
  ReLU: "max(x, 0)", LeakyReLU: "x where x > 0, else slope · x", Sigmoid: "1 / (1 + e⁻ˣ)",
  Tanh: "tanh x", SiLU: "x · sigmoid(x)", ELU: "x where x > 0, else α · (eˣ − 1)",
  Softplus: "ln(1 + eˣ)", GELU: "x · Φ(x)",
};
const BACK = {
  Conv2D: "dx = Σ dy · w of all windows that saw it",
  ConvTranspose2D: "dx = Σ dy · w over what it painted",
  Dense: "dx = Σ dy · w",
  MaxPool2D: "dx = Σ dy of the windows that it won",
  AvgPool2D: "dx = Σ of its share of each dy", GlobalAvgPool2D: "dx = its share of dy",
  Flatten: "dx = dy", Reshape: "dx = dy",
  Dropout: "dx = dy · the same mask / (1 − p)", Standardize: "dx = dy / std",
  BatchNorm: "dx = (dx̂ − mean dx̂ − x̂ · mean(dx̂ · x̂)) / σ, dx̂ = γ · dy",
  GroupNorm: "dx = (dx̂ − mean dx̂ − x̂ · mean(dx̂ · x̂)) / σ, dx̂ = γ · dy",
  Residual: "ds = dy and df = dy: both sides of the sum",
  Measured: "dx = Σ dy · slope, the slopes measured in Python",
  Parallel: "df₀, df₁, … = dy, cut apart again",
};
const SLOPES = {
  ReLU: "1 (open) where y > 0, else 0 (shut)", LeakyReLU: "1 or the leak", Sigmoid: "y · (1 − y)",
  Tanh: "1 − y²", SiLU: "σ + x · σ · (1 − σ)", ELU: "1 or α · eˣ", Softplus: "sigmoid(x)",
  GELU: "Φ(x) + x · φ(x)",
};
const SHARES = {AvgPool2D: "1/size", GlobalAvgPool2D: "1/size",
                Dropout: "mask / (1 − p)", Standardize: "1/std",
                Measured: "slope"};
const RESTS = {Standardize: "−mean / std", Measured: "rest"};  // what is added, if not a bias
