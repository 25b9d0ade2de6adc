/* The fp32 product: rows of inputs times panels of LANES columns.
 *
 * Why it is fast: a panel holds its columns side by side for each input, so the inner loop reads
 * memory in order, and what it reads is used for several rows from registers; two panels go
 * together, or too few sums would be under way to hide a sum's latency, and stay in the first
 * caches while all rows pass by. A row's sum is taken in the same order whatever rows stand beside
 * it, so an answer does not depend on its batch, to the last bit.
 */

#ifndef PRODUCTS_F32_H
#define PRODUCTS_F32_H

#include "vectors.h"

INLINE void block_f32(const float *x, long inputs, const float *w, float *out, long stride,
                      const int rows)
{
    const float *w2 = w + inputs * LANES;
    floats left[MOST], right[MOST];
    for (int r = 0; r < rows; r++) left[r] = right[r] = (floats){0};
    for (long k = 0; k < inputs; k++) {
        floats a = *(const floats *)(w + k * LANES), b = *(const floats *)(w2 + k * LANES);
        for (int r = 0; r < rows; r++) {
            left[r] += x[r * inputs + k] * a;
            right[r] += x[r * inputs + k] * b;
        }
    }
    for (int r = 0; r < rows; r++) {
        *(floats *)(out + r * stride) = left[r];
        *(floats *)(out + r * stride + LANES) = right[r];
    }
}

/* x (rows, inputs) times two panels -> two vectors a row, rows `stride` apart. */
ALONE void panels_f32(const float *x, long rows, long inputs, const float *w, float *out,
                      long stride)
{
    for (; rows >= MOST; rows -= MOST, x += MOST * inputs, out += MOST * stride)
        block_f32(x, inputs, w, out, stride, MOST);
    for (; rows >= 3; rows -= 3, x += 3 * inputs, out += 3 * stride)
        block_f32(x, inputs, w, out, stride, 3);
    for (; rows >= 1; rows -= 1, x += inputs, out += stride)
        block_f32(x, inputs, w, out, stride, 1);
}

#endif
