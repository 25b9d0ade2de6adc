/* bf16, the upper half of a float: 8 bits of mantissa, sums in fp32. */

#ifndef BF16_H
#define BF16_H

#include "vectors.h"

#if defined(__AVX512BF16__) && LANES == 16
#define HAS_BF16 1 /* the CPU has the instruction that `dot_bf16` is written for */
#else
#define HAS_BF16 0
#endif

/* The same, for those who call compiled code. */
int has_fast_bf16(void) { return HAS_BF16; }

typedef uint16_t bf16;
typedef bf16 halves __attribute__((vector_size(2 * LANES), aligned(2)));
typedef uint32_t words __attribute__((vector_size(4 * LANES), aligned(4)));

/* LANES numbers. */
INLINE floats wide(const bf16 *x)
{
    return (floats)(__builtin_convertvector(*(const halves *)x, words) << 16);
}

/* To the nearest, ties to even; what is not a number stays so. */
INLINE void narrow(floats x, bf16 *out)
{
#if HAS_BF16
    _mm256_storeu_si256((__m256i *)out, (__m256i)_mm512_cvtneps_pbh((__m512)x));
#else
    words bits = (words)x, nan = (words)(x != x);
    words rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    *(halves *)out = __builtin_convertvector((nan & 0x7fc0) | (~nan & rounded), halves);
#endif
}

/* sum + both products of each column. x: a pair of inputs; w: (LANES, 2). */
INLINE floats dot_bf16(floats sum, const bf16 *x, const bf16 *w)
{
    uint32_t pair;
    memcpy(&pair, x, sizeof pair);
#if HAS_BF16
    return (floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32((int32_t)pair),
                                    (__m512bh)_mm512_loadu_si512(w));
#else
    words inputs = (words){0} + pair, columns = *(const words *)w;
    return sum + (floats)(inputs << 16) * (floats)(columns << 16) +
           (floats)(inputs & 0xffff0000) * (floats)(columns & 0xffff0000);
#endif
}

#endif
