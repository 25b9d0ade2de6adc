/* Single weights of a matrix dropped at random, and the gradient of those that stay
 * (model/dropout.py).
 *
 * Why it is fast: one pass over the matrix makes what is computed with, in its type, on every
 * core. No mask is kept: each four weights' numbers are a function of a seed and their place
 * (SplitMix64; Steele, Lea and Flood 2014), made again where the gradient comes back.
 */

#include "bf16.h"
#include "share.h"

enum {
    DRAWS = 4,   /* numbers of 16 bits in a word of 64 */
    BLOCK = 256, /* numbers at a time */
    WORDS = BLOCK / DRAWS,
};

typedef struct {
    const void *from;
    void *to;
    uint64_t seed;
    long numbers;
    long dropped; /* of 65,536 */
    float scale;
    int from_bf16, to_bf16;
} dropping;

INLINE uint64_t mixed(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* BLOCK numbers, the first of them number `first` of the matrix. */
INLINE void block(const dropping *d, const void *from, void *to, long first, const int from_bf16,
                  const int to_bf16)
{
    uint64_t drawn[WORDS], seed = d->seed;
    bf16 draws[BLOCK];
    for (long w = 0; w < WORDS; w++)
        drawn[w] = mixed(seed + (uint64_t)(first / DRAWS + w + 1) * 0x9e3779b97f4a7c15u);
    memcpy(draws, drawn, sizeof draws);
    const words dropped = (words){0} + (uint32_t)d->dropped;
    for (long i = 0; i < BLOCK; i += LANES) {
        words draw = __builtin_convertvector(*(const halves *)(draws + i), words);
        floats x = from_bf16 ? wide((const bf16 *)from + i)
                             : *(const floats *)((const float *)from + i);
        floats kept = (floats)((words)(x * d->scale) & (words)(draw >= dropped));
        if (to_bf16) narrow(kept, (bf16 *)to + i);
        else *(floats *)((float *)to + i) = kept;
    }
}

/* Numbers `first` to `last`, `first` a multiple of DRAWS. */
INLINE void drop_as(const dropping *d, long first, long last, const int from_bf16,
                    const int to_bf16)
{
    const long from_size = from_bf16 ? 2 : 4, to_size = to_bf16 ? 2 : 4;
    const char *from = d->from;
    char *to = d->to;
    for (; first + BLOCK <= last; first += BLOCK)
        block(d, from + first * from_size, to + first * to_size, first, from_bf16, to_bf16);
    if (first < last) {
        float rest[BLOCK] = {0}, made[BLOCK];
        memcpy(rest, from + first * from_size, (last - first) * from_size);
        block(d, rest, made, first, from_bf16, to_bf16);
        memcpy(to + first * to_size, made, (last - first) * to_size);
    }
}

/* Some of the matrix's words of DRAWS numbers. */
void drop(const void *arguments, long first, long words)
{
    const dropping *d = arguments;
    long from = first * DRAWS, to = (first + words) * DRAWS;
    if (to > d->numbers) to = d->numbers;
    if (d->from_bf16 && d->to_bf16) drop_as(d, from, to, 1, 1);
    else if (d->from_bf16) drop_as(d, from, to, 1, 0);
    else if (d->to_bf16) drop_as(d, from, to, 0, 1);
    else drop_as(d, from, to, 0, 0);
}
