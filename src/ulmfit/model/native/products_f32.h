/* The fp32 product: rows of inputs times panels of LANES columns.
 *
 * Why it is fast: a panel holds its columns side by side for each input, and the panels of a block
 * lie interleaved, so the inner loop reads memory in one stream, and what it reads is used for
 * several rows from registers. A row's sum is taken in the same order whatever rows stand beside
 * it, so an answer does not depend on its batch, to the last bit.
 */

#ifndef PRODUCTS_F32_H
#define PRODUCTS_F32_H

#include "vectors.h"

/* Rows and panels of a block. Few rows: where their distance is a power of two, all of them share
 * a few places of the first cache. */
enum { HIGH_F32 = 6, ABREAST_F32 = LANES == 16 ? 4 : 2 };

/* w: (inputs, ABREAST_F32, LANES). */
INLINE void block_f32(const float *x, long inputs, const float *w, float *out, long stride,
                      const int rows)
{
    floats sums[HIGH_F32][ABREAST_F32];
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < ABREAST_F32; p++) sums[r][p] = (floats){0};
    for (long k = 0; k < inputs; k++, w += LANES * ABREAST_F32)
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < ABREAST_F32; p++)
                sums[r][p] += x[r * inputs + k] * *(const floats *)(w + p * LANES);
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < ABREAST_F32; p++)
            *(floats *)(out + r * stride + p * LANES) = sums[r][p];
}

/* x (rows, inputs) times ABREAST_F32 panels -> as many vectors a row, rows `stride` apart. */
ALONE void rows_by_panels_f32(const float *x, long rows, long inputs, const float *w, float *out,
                              long stride)
{
#define BLOCKS(n)                                                                                  \
    for (; rows >= n; rows -= n, x += n * inputs, out += n * stride)                               \
        block_f32(x, inputs, w, out, stride, n);
    BLOCKS(HIGH_F32) BLOCKS(3) BLOCKS(2) BLOCKS(1)
#undef BLOCKS
}

#endif
