/* The int8 product: rows of unsigned bytes times panels of LANES columns of signed ones.
 *
 * An input is (q - ZERO) * the scale of its row, a weight is w * the scale of its column, and the
 * sums are of 32 bits and exact. A panel holds four inputs of each of its columns, then the next
 * four. Why it is fast: a byte is a quarter of a float to read, and one instruction multiplies four
 * times as many. Three kinds of CPU:
 *
 * VNNI    four products and their sum are one instruction.
 * AVX2    products of pairs are summed in 16 bits. Four of those are added in 16 bits too before
 *         they are widened, which costs a third of widening each. Packing sees to it that the eight
 *         products that meet so never overflow, whatever the inputs.
 * others  plain C: right, and slower than fp32.
 */

#ifndef PRODUCTS_I8_H
#define PRODUCTS_I8_H

#include "vectors.h"

#define GROUP 16 /* inputs come in groups of so many, zeros behind the last */

#if (defined(__AVX512VNNI__) && LANES == 16) || (defined(__AVXVNNI__) && LANES == 8)
#define VNNI 1
#define PAIRS 0
#else
#define VNNI 0
#if defined(__AVX2__)
#define PAIRS 1
#else
#define PAIRS 0
#endif
#endif

/* Rows and panels of a block: as many sums as there are registers beside a block's weights. What is
 * loaded is spent so often that the products wait for no load. The panels of a block lie interleaved,
 * for memory to be read in one stream. */
#if PAIRS || LANES == 4
enum { HIGH_I8 = MOST, ABREAST_I8 = 1 };
#else
enum { HIGH_I8 = 6, ABREAST_I8 = LANES == 16 ? 4 : 2 };
#endif

typedef ints sums_i8[HIGH_I8][ABREAST_I8];

/* Inputs are from -LEVELS to LEVELS, and stored around ZERO. */
#if PAIRS
/* Eight products are within 16 bits if the eight weights add up to MEETING and as many roundings:
 * (2 * 75 + 1) * (212 + 8 / 2) < 2^15. More levels leave the weights fewer; 75 lost the least on
 * en-mini (experiments/LOG.md). */
#define LEVELS 75
#define MEETING 212
#else
#define LEVELS 127
#endif
#define ZERO (LEVELS + 1)

INLINE int32_t four(const uint8_t *q)
{
    int32_t value;
    memcpy(&value, q, sizeof value);
    return value;
}

#if PAIRS

#if LANES == 16
#define WIDE(name) _mm512_##name
#define LOAD(w) _mm512_loadu_si512(w)
typedef __m512i bytes;
#else
#define WIDE(name) _mm256_##name
#define LOAD(w) _mm256_loadu_si256((const __m256i *)(w))
typedef __m256i bytes;
#endif

INLINE bytes pairs(const uint8_t *q, bytes w)
{
    return WIDE(maddubs_epi16)(WIDE(set1_epi32)(four(q)), w);
}

INLINE void group(sums_i8 sums, const uint8_t *q, long inputs, const int8_t *w, const int rows)
{
    const bytes a = LOAD(w), b = LOAD(w + 4 * LANES), c = LOAD(w + 8 * LANES),
               d = LOAD(w + 12 * LANES), ones = WIDE(set1_epi16)(1);
    for (int r = 0; r < rows; r++, q += inputs) {
        bytes sum = WIDE(add_epi16)(pairs(q, a), pairs(q + 4, b));
        sum = WIDE(add_epi16)(sum, pairs(q + 8, c));
        sum = WIDE(add_epi16)(sum, pairs(q + 12, d));
        sums[r][0] += (ints)WIDE(madd_epi16)(sum, ones);
    }
}

#else

/* sum + the four products of each column. */
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

INLINE void group(sums_i8 sums, const uint8_t *q, long inputs, const int8_t *w, const int rows)
{
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < ABREAST_I8; p++)
            sums[r][p] = dot(sums[r][p], q + r * inputs, w + p * 4 * LANES);
}

#endif

typedef struct {
    const int8_t *w;     /* (inputs / 4, ABREAST_I8, LANES, 4) */
    const float *scale;  /* (ABREAST_I8, LANES) */
    const int32_t *zero; /* the same: what ZERO at every input would give */
} panels_i8;

INLINE void block_i8(const uint8_t *q, const float *scale, long inputs, panels_i8 p, float *out,
                     long stride, const int rows)
{
    sums_i8 sums;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < ABREAST_I8; i++) sums[r][i] = (ints){0};
    for (long k = 0; k < inputs; k += PAIRS ? GROUP : 4)
        group(sums, q + k, inputs, p.w + k * LANES * ABREAST_I8, rows);
    const ints *zero = (const ints *)p.zero;
    const floats *column = (const floats *)p.scale;
    for (int r = 0; r < rows; r++)
        for (int i = 0; i < ABREAST_I8; i++)
            *(floats *)(out + r * stride + i * LANES) =
                __builtin_convertvector(sums[r][i] - zero[i], floats) *
                (column[i] * scale[r]);
}

/* q (rows, inputs) with a scale a row, times ABREAST_I8 panels -> as many vectors a row, rows
 * `stride` apart. */
ALONE void rows_by_panels_i8(const uint8_t *q, const float *scale, long rows, long inputs,
                             panels_i8 p, float *out, long stride)
{
#define BLOCKS(n)                                                                                  \
    for (; rows >= n; rows -= n, q += n * inputs, scale += n, out += n * stride)                   \
        block_i8(q, scale, inputs, p, out, stride, n);
    BLOCKS(HIGH_I8) BLOCKS(3) BLOCKS(2) BLOCKS(1)
#undef BLOCKS
}

#endif
