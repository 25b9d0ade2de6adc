/* Matrices of bf16 packed as `dot_bf16` reads them: two inputs side by side, so many lines abreast. */

#ifndef PAIRS_H
#define PAIRS_H

#include "bf16.h"

enum {
    AHEAD = 32, /* inputs between what is packed and what is asked for */
    LINE = 32   /* numbers in a line of the cache */
};

/* Two numbers that follow each other along the inputs. */
INLINE uint32_t pair(bf16 first, bf16 second) { return first | (uint32_t)second << 16; }

/* `count` lines of x along its inputs -> (pairs, lanes), zeros where there is no line. */
INLINE void pack_along(const bf16 *x, long stride, long count, long inputs, const int lanes,
                       uint32_t *to)
{
    for (long k = 0; k < inputs; k += 2, to += lanes) {
        if (k % LINE == 0) /* what the next call packs: its lines are too short to be foreseen */
            for (int l = 0; l < lanes; l++) __builtin_prefetch(x + (lanes + l) * stride + k);
        if (count == lanes && k + 1 < inputs)
            for (int l = 0; l < lanes; l++) memcpy(to + l, x + l * stride + k, sizeof *to);
        else
            for (int l = 0; l < lanes; l++) {
                const bf16 *at = x + l * stride + k;
                to[l] = l < count ? pair(at[0], k + 1 < inputs ? at[1] : 0) : 0;
            }
    }
}

/* `count` lines of x across its inputs -> blocks of `lanes` lines (pairs, lanes), `apart`. */
INLINE void pack_across(const bf16 *x, long stride, long count, long inputs, const int lanes,
                        long apart, uint32_t *to)
{
    const long blocks = (count + lanes - 1) / lanes;
    for (long k = 0; k < inputs; k += 2, x += 2 * stride, to += lanes) {
        const bf16 *next = k + 1 < inputs ? x + stride : 0;
        if (k + AHEAD + 1 < inputs)
            for (long l = 0; l < count; l += LINE) {
                __builtin_prefetch(x + AHEAD * stride + l);
                __builtin_prefetch(x + (AHEAD + 1) * stride + l);
            }
        for (long b = 0; b < blocks; b++) {
            uint32_t *out = to + b * apart;
            const long first = b * lanes;
            /* Whole vectors may reach beyond the block, and not beyond the lines. */
            if (next && first + (lanes + LANES - 1) / LANES * LANES <= count)
                for (int l = 0; l < lanes; l += LANES) {
                    words low = __builtin_convertvector(*(const halves *)(x + first + l), words);
                    words high = __builtin_convertvector(*(const halves *)(next + first + l), words);
                    words both = low | high << 16;
                    memcpy(out + l, &both, sizeof *out * (lanes - l < LANES ? lanes - l : LANES));
                }
            else
                for (long l = 0; l < lanes; l++) {
                    const long at = first + l;
                    out[l] = at < count ? pair(x[at], next ? next[at] : 0) : 0;
                }
        }
    }
}

#endif
