/* Vectors of LANES numbers: GCC and Clang turn the plain operators into the machine's own. */

#ifndef VECTORS_H
#define VECTORS_H

#include <stdint.h>
#include <string.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

#ifndef LANES
#if defined(__AVX512BW__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#endif

enum { MOST = LANES == 16 ? 12 : 6 }; /* rows at a time: as many sums as there are registers */

typedef float floats __attribute__((vector_size(4 * LANES), aligned(4)));
typedef int32_t ints __attribute__((vector_size(4 * LANES), aligned(4)));

#define INLINE static inline __attribute__((always_inline))
/* A function of its own has all registers to itself; inlined, its sums would be spilled. */
#define ALONE static __attribute__((noinline))

/* Ask for numbers that are needed soon. */
INLINE void fetch(const float *x, long n)
{
    for (long i = 0; i < n; i += 16) __builtin_prefetch(x + i);
}

/* The smaller and the larger of each two numbers, b where one of them is none. Written out for
 * AVX-512 and AVX, where the compiler would make a comparison and a choice of every one. */
#if LANES == 16 && defined(__AVX512F__)
#define least _mm512_min_ps
#define largest _mm512_max_ps
#elif LANES == 8 && defined(__AVX__)
#define least _mm256_min_ps
#define largest _mm256_max_ps
#else
INLINE floats least(floats a, floats b)
{
    for (int l = 0; l < LANES; l++) a[l] = a[l] < b[l] ? a[l] : b[l];
    return a;
}

INLINE floats largest(floats a, floats b) { return -least(-a, -b); }
#endif

/* p * 2^n for whole n. */
#if LANES == 16 && defined(__AVX512F__)
#define times_power(p, n) ((floats)_mm512_scalef_ps((__m512)(p), (__m512)(n)))
#define nearest(x) ((floats)_mm512_roundscale_ps((__m512)(x), 0))
#else
INLINE floats times_power(floats p, floats n)
{
    ints power = (__builtin_convertvector(n, ints) + 127) << 23;
    return p * (floats)power;
}

/* Adding 1.5 * 2^23 rounds. */
INLINE floats nearest(floats x) { return (x + 12582912.0f) - 12582912.0f; }
#endif

/* e^x to 1e-7 of itself for |x| <= 40, beyond that as at 40, where every gate is shut or open; so
 * the product of two stays finite. e^x = 2^n e^r, the last by the polynomial of least relative
 * error for |r| <= log(2) / 2. */
INLINE floats exponential(floats x)
{
    x = largest((floats){0} - 40.0f, least((floats){0} + 40.0f, x));
    floats n = nearest(x * 1.44269504f);
    floats r = x - n * 0.693359375f + n * 2.12194440e-4f;
    floats p = 1.383679402e-3f * r + 8.374857074e-3f;
    p = p * r + 4.166822868e-2f;
    p = p * r + 1.666641968e-1f;
    p = p * r + 4.999999206e-1f;
    p = p * r + 1.000000036f;
    p = p * r + 1.0f;
    return times_power(p, n);
}

#endif
