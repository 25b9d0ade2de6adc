/* The bf16 product: rows of bf16 times panels of LANES columns, sums in fp32.
 *
 * A panel holds two inputs of each of its columns, then the next two. Why it is fast: a number is
 * half of a float to read, and one instruction multiplies twice as many (AVX512-bf16). On other
 * CPUs it is plain C: right, and slower than fp32. A row's sum is taken in the same order whatever
 * rows stand beside it.
 */

#ifndef PRODUCTS_BF16_H
#define PRODUCTS_BF16_H

#include "bf16.h"

/* Rows and panels of a block, as for int8 (products_i8.h). */
enum { HIGH_BF16 = 6, ABREAST_BF16 = 4 };

/* w: (inputs / 2, ABREAST_BF16, LANES, 2). */
INLINE void block_bf16(const bf16 *x, long inputs, const bf16 *w, float *out, long stride,
                       const int rows)
{
    floats sums[HIGH_BF16][ABREAST_BF16];
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < ABREAST_BF16; p++) sums[r][p] = (floats){0};
    for (long k = 0; k < inputs; k += 2, w += 2 * LANES * ABREAST_BF16)
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < ABREAST_BF16; p++)
                sums[r][p] = dot_bf16(sums[r][p], x + r * inputs + k, w + p * 2 * LANES);
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < ABREAST_BF16; p++)
            *(floats *)(out + r * stride + p * LANES) = sums[r][p];
}

/* x (rows, inputs) times ABREAST_BF16 panels -> as many vectors a row, rows `stride` apart. */
ALONE void rows_by_panels_bf16(const bf16 *x, long rows, long inputs, const bf16 *w, float *out,
                               long stride)
{
#define BLOCKS(n)                                                                                  \
    for (; rows >= n; rows -= n, x += n * inputs, out += n * stride)                               \
        block_bf16(x, inputs, w, out, stride, n);
    BLOCKS(HIGH_BF16) BLOCKS(3) BLOCKS(2) BLOCKS(1)
#undef BLOCKS
}

#endif
