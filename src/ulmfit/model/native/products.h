/* Matrix products: a few rows at a time against panels of LANES columns.
 *
 * Why they are fast: a panel holds its columns side by side for each input, so the inner loop reads
 * memory in order, and what it reads is used for several rows from registers; one panel stays in
 * the first cache while all rows pass by. Every row's sum is taken in the same order whatever rows
 * stand beside it, so an answer does not depend on its batch, to the last bit.
 */

#ifndef PRODUCTS_H
#define PRODUCTS_H

#include "vectors.h"

enum { MOST = LANES == 16 ? 12 : 6 }; /* rows at a time: as many sums as there are registers */

/* ---- fp32: two panels together, or too few sums are under way to hide a sum's latency ---- */

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
INLINE void panels_f32(const float *x, long rows, long inputs, const float *w, float *out,
                       long stride)
{
    for (; rows >= MOST; rows -= MOST, x += MOST * inputs, out += MOST * stride)
        block_f32(x, inputs, w, out, stride, MOST);
    for (; rows >= 3; rows -= 3, x += 3 * inputs, out += 3 * stride)
        block_f32(x, inputs, w, out, stride, 3);
    for (; rows >= 1; rows -= 1, x += inputs, out += stride)
        block_f32(x, inputs, w, out, stride, 1);
}

/* ---- int8: inputs of a row unsigned around ZERO, weights signed, sums of 32 bits ----
 *
 * An input is (q - ZERO) * scale of its row; a weight is w * scale of its column. `w` holds four
 * inputs of each of LANES columns, then the next four.
 */

#if (defined(__AVX512VNNI__) && LANES == 16) || (defined(__AVXVNNI__) && LANES == 8)
#define VNNI 1
#else
#define VNNI 0
#endif
#if VNNI || defined(__AVX2__)
#define FAST_I8 1
#else
#define FAST_I8 0 /* right, but slower than fp32 */
#endif
#if VNNI || !FAST_I8
#define LEVELS 127
#else
#define LEVELS 63   /* 7 bits: two products of a pair must fit 16 bits */
#define MEETING 254 /* so do eight, if their weights add up to this: 127 * (254 + 8 / 2) < 2^15 */
#endif
#define ZERO (LEVELS + 1)
#define GROUP 16 /* inputs come in groups of so many, zeros behind the last */

INLINE int32_t four(const uint8_t *q)
{
    int32_t value;
    memcpy(&value, q, sizeof value);
    return value;
}

#if LEVELS == 127

/* sum + the four products of each column; one instruction where the CPU has VNNI. */
INLINE ints dot(ints sum, const uint8_t *q, const int8_t *w)
{
#if VNNI && LANES == 16
    __m512i columns = _mm512_loadu_si512(w);
    return (ints)_mm512_dpbusd_epi32((__m512i)sum, _mm512_set1_epi32(four(q)), columns);
#elif VNNI
    __m256i columns = _mm256_loadu_si256((const __m256i *)w);
    return (ints)_mm256_dpbusd_avx_epi32((__m256i)sum, _mm256_set1_epi32(four(q)), columns);
#else
    for (int l = 0; l < LANES; l++)
        for (int k = 0; k < 4; k++) sum[l] += q[k] * w[4 * l + k];
    return sum;
#endif
}

INLINE void group(ints *sums, const uint8_t *q, long inputs, const int8_t *w, const int rows)
{
    for (int k = 0; k < GROUP; k += 4)
        for (int r = 0; r < rows; r++) sums[r] = dot(sums[r], q + r * inputs + k, w + k * LANES);
}

#elif LANES == 16
#define WIDE(name) _mm512_##name
#define LOAD(w) _mm512_loadu_si512(w)
typedef __m512i wide;
#else
#define WIDE(name) _mm256_##name
#define LOAD(w) _mm256_loadu_si256((const __m256i *)(w))
typedef __m256i wide;
#endif

#if LEVELS == 63

/* Without VNNI: products of pairs in 16 bits, and four of those added in 16 bits too before they
 * are widened, which costs a third of widening each. Packing sees to it that eight weights whose
 * products meet in 16 bits can never overflow, whatever the inputs. */
INLINE void group(ints *sums, const uint8_t *q, long inputs, const int8_t *w, const int rows)
{
    const wide a = LOAD(w), b = LOAD(w + 4 * LANES), c = LOAD(w + 8 * LANES),
               d = LOAD(w + 12 * LANES), ones = WIDE(set1_epi16)(1);
    for (int r = 0; r < rows; r++, q += inputs) {
        wide t = WIDE(maddubs_epi16)(WIDE(set1_epi32)(four(q)), a);
        t = WIDE(add_epi16)(t, WIDE(maddubs_epi16)(WIDE(set1_epi32)(four(q + 4)), b));
        t = WIDE(add_epi16)(t, WIDE(maddubs_epi16)(WIDE(set1_epi32)(four(q + 8)), c));
        t = WIDE(add_epi16)(t, WIDE(maddubs_epi16)(WIDE(set1_epi32)(four(q + 12)), d));
        sums[r] += (ints)WIDE(madd_epi16)(t, ones);
    }
}

#endif

typedef struct {
    const int8_t *w;     /* (inputs / 4, LANES, 4) */
    const float *scale;  /* (LANES,) */
    const int32_t *zero; /* (LANES,): what ZERO at every input would give */
} panel_i8;

INLINE void block_i8(const uint8_t *q, const float *scale, long inputs, panel_i8 p, float *out,
                     long stride, const int rows)
{
    ints sums[MOST];
    for (int r = 0; r < rows; r++) sums[r] = (ints){0};
    for (long k = 0; k < inputs; k += GROUP) group(sums, q + k, inputs, p.w + k * LANES, rows);
    const ints zero = *(const ints *)p.zero;
    const floats column = *(const floats *)p.scale;
    for (int r = 0; r < rows; r++)
        *(floats *)(out + r * stride) =
            __builtin_convertvector(sums[r] - zero, floats) * (column * scale[r]);
}

/* q (rows, inputs) with a scale a row, times one panel -> one vector a row, `stride` apart. */
INLINE void panel_by_rows_i8(const uint8_t *q, const float *scale, long rows, long inputs,
                             panel_i8 p, float *out, long stride)
{
    for (; rows >= MOST; rows -= MOST, q += MOST * inputs, scale += MOST, out += MOST * stride)
        block_i8(q, scale, inputs, p, out, stride, MOST);
    for (; rows >= 3; rows -= 3, q += 3 * inputs, scale += 3, out += 3 * stride)
        block_i8(q, scale, inputs, p, out, stride, 3);
    for (; rows >= 1; rows -= 1, q += inputs, scale += 1, out += stride)
        block_i8(q, scale, inputs, p, out, stride, 1);
}

#endif
