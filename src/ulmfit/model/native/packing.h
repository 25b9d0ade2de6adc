/* Weights of an LSTM, (4 hidden, features) in torch's order, -> panels, zeros where they are padded.
 *
 * Panels: (units / LANES, 4 / abreast, inputs / each, abreast, LANES, each): `abreast` gates lie
 * interleaved, and a column has 1, 2 or 4 inputs side by side in fp32, bf16 and int8. In int8 there
 * are a scale and a zero a column (units / LANES, 4, LANES).
 */

#ifndef PACKING_H
#define PACKING_H

#include "products_i8.h"

typedef struct {
    const float *w; /* (4 hidden, features) */
    long hidden, features, inputs;
} matrix;

INLINE long padded(long size) { return (size + GROUP - 1) / GROUP * GROUP; }

/* The row of the matrix whose unit is `unit`, or NULL in the padding. */
INLINE const float *row_of(matrix m, long gate, long unit)
{
    return unit < m.hidden ? m.w + (gate * m.hidden + unit) * m.features : 0;
}

/* Where input k of column l of a gate stands in the four panels of LANES units, of which `abreast`
 * are interleaved, `each` inputs at a time. */
INLINE long place(long gate, long l, long k, long inputs, long abreast, long each)
{
    long before = gate / abreast * abreast * inputs * LANES;
    return before + ((k / each * abreast + gate % abreast) * LANES + l) * each + k % each;
}

/* The largest sum, above or below zero, of eight weights whose products meet in 16 bits: of every
 * GROUP inputs those are the first two of each four, and the last two. */
INLINE float largest_meeting(const float *row, long features)
{
    float most = 0, sums[4] = {0}; /* above zero: the first twos, the last twos; below: the same */
    for (long k = 0; k < features; k++) {
        if (k % GROUP == 0) sums[0] = sums[1] = sums[2] = sums[3] = 0;
        float *sum = &sums[(row[k] < 0) * 2 + k / 2 % 2];
        *sum += row[k] < 0 ? -row[k] : row[k];
        most = *sum > most ? *sum : most;
    }
    return most;
}

/* The scale that makes a column's largest weight 127, or less where 16 bits would not hold. */
INLINE float column_scale(const float *row, long features)
{
    float most = 1e-12f;
    for (long k = 0; k < features; k++) {
        float size = row[k] < 0 ? -row[k] : row[k];
        most = size > most ? size : most;
    }
    float scale = most / 127;
#if PAIRS
    float meeting = largest_meeting(row, features) / MEETING;
    scale = meeting > scale ? meeting : scale;
#endif
    return scale;
}

#endif
