// Where windows lie in an image: output (i, j) and tap (u, v) meet at pixel
// (i · stride + u · dilation − padding, …); taps in the padding meet nothing.

function taps({kernel, stride, padding, image, output, dilation}, meet) {
  for (let i = 0; i < output[0]; i++)
    for (let j = 0; j < output[1]; j++)
      for (let u = 0; u < kernel[0]; u++)
        for (let v = 0; v < kernel[1]; v++) {
          const h = i * stride[0] + u * dilation[0] - padding[0];
          const k = j * stride[1] + v * dilation[1] - padding[1];
          if (h >= 0 && h < image[0] && k >= 0 && k < image[1])
            meet(i * output[1] + j, h * image[1] + k, u * kernel[1] + v);
        }
}
