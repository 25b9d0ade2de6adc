/* Products of large matrices, bf16 summed in fp32: out (rows, columns) = x (rows, inputs) times
 * w (inputs, columns), x and w by their strides.
 *
 * Why it is fast: one block of MOST x WIDTH sums fills the registers, and both matrices are
 * packed so that it reads them in order. Rows are packed as they are needed, so many that they
 * stay in the second cache while all columns pass; rows that lie across (a transposed matrix) are
 * asked for ahead, as each of their lines is on another page. What becomes of a sum, rounding or
 * an exponential, is done while it is in the first cache.
 */

#include "pairs.h"
#include "share.h"

enum {
    WIDTH = 2 * LANES, /* columns of a panel */
    ROOM = 96 * 1024,  /* pairs of packed rows: less than half of a second cache of 1 MB */
    TOTALS = 16        /* of a row of exponentials, whatever LANES is */
};

/* Columns of a panel. */
long panel_width(void) { return WIDTH; }

/* Rows times pairs of inputs that `multiply` can have packed at a time. */
long packing_room(void) { return ROOM; }

typedef struct {
    const bf16 *w;
    long input, column; /* strides */
    long inputs, columns;
    uint32_t *panels; /* (columns / WIDTH, pairs, WIDTH) */
} packing;

/* Some of the panels. */
void pack_panels(const void *arguments, long first, long count)
{
    const packing *p = arguments;
    const long pairs = (p->inputs + 1) / 2;
    for (long i = first; i < first + count; i++) {
        const bf16 *w = p->w + i * WIDTH * p->column;
        uint32_t *to = p->panels + i * WIDTH * pairs;
        const long left = p->columns - i * WIDTH, columns = left < WIDTH ? left : WIDTH;
        if (p->column == 1)
            pack_across(w, p->input, columns, p->inputs, WIDTH, 0, to);
        else
            pack_along(w, p->column, columns, p->inputs, WIDTH, to);
    }
}

/* MOST rows (pairs, MOST) times a panel (pairs, WIDTH), or its first half -> tile (MOST, WIDTH). */
INLINE void block(const uint32_t *x, const uint32_t *w, long pairs, floats *tile, const int halves)
{
    floats sums[MOST][2];
    for (int r = 0; r < MOST; r++) sums[r][0] = sums[r][1] = (floats){0};
    for (long k = 0; k < pairs; k++, x += MOST, w += WIDTH)
        for (int r = 0; r < MOST; r++)
            for (int h = 0; h < halves; h++)
                sums[r][h] = dot_bf16(sums[r][h], (const bf16 *)(x + r),
                                      (const bf16 *)(w + h * LANES));
    for (int r = 0; r < MOST; r++)
        for (int h = 0; h < 2; h++) tile[2 * r + h] = sums[r][h];
}

ALONE void whole_block(const uint32_t *x, const uint32_t *w, long pairs, floats *tile)
{
    block(x, w, pairs, tile, 2);
}

ALONE void half_block(const uint32_t *x, const uint32_t *w, long pairs, floats *tile)
{
    block(x, w, pairs, tile, 1);
}

typedef struct {
    const bf16 *x;
    long row, input; /* strides; one of them is 1 */
    const uint32_t *panels;
    long rows, inputs, columns;
    long depth;  /* pairs at a time; all of them, unless sums are kept in fp32 */
    long chunk;  /* rows that are packed together, a multiple of MOST */
    long kept;   /* whether sums are added to what stands in `sums` */
    float *sums; /* (rows, columns), or null */
    bf16 *out;   /* (rows, columns), or null */
    const float *bias;    /* (columns,) added before rounding, or null */
    const float *highest; /* (rows,); then out = e^(sum - highest), or null */
    float *totals;        /* (rows, TOTALS): the sum of these in parts, added to what stands there */
} product;

/* The numbers of a row that stand in a panel, of which the last may have fewer columns. */
INLINE void store(const product *p, floats *sums, long row, long column, int kept)
{
    const long left = p->columns - column, at = row * p->columns + column;
    float spare[WIDTH] = {0};
    if (p->sums) {
        float *to = p->sums + at;
        if (left >= WIDTH)
            for (int h = 0; h < 2; h++) {
                floats *whole = (floats *)(to + h * LANES);
                *whole = kept ? *whole + sums[h] : sums[h];
            }
        else
            for (long l = 0; l < left; l++)
                to[l] = kept ? to[l] + ((float *)sums)[l] : ((float *)sums)[l];
        return;
    }
    if (p->bias) {
        const float *bias = p->bias + column;
        if (left < WIDTH) bias = memcpy(spare, bias, left * sizeof *bias);
        for (int h = 0; h < 2; h++) sums[h] += *(const floats *)(bias + h * LANES);
    }
    if (p->highest) {
        floats *total = (floats *)(p->totals + row * TOTALS);
        for (int h = 0; h < 2; h++) sums[h] = exponential(sums[h] - p->highest[row]);
        if (left < WIDTH)
            for (long l = left; l < WIDTH; l++) ((float *)sums)[l] = 0;
        *total += sums[0] + sums[1];
    }
    bf16 *to = left < WIDTH ? (bf16 *)spare : p->out + at;
    for (int h = 0; h < 2; h++) narrow(sums[h], to + h * LANES);
    if (left < WIDTH) memcpy(p->out + at, spare, left * sizeof *to);
}

/* Some of the chunks. */
void multiply(const void *arguments, long first, long count)
{
    static _Thread_local uint32_t room[ROOM] __attribute__((aligned(64)));
    floats tile[2 * MOST];
    const product *p = arguments;
    const long pairs = (p->inputs + 1) / 2;
    for (long c = first; c < first + count; c++) {
        const long start = c * p->chunk, left = p->rows - start;
        const long rows = left < p->chunk ? left : p->chunk;
        for (long from = 0; from < pairs; from += p->depth) {
            const long deep = pairs - from < p->depth ? pairs - from : p->depth;
            const long after = p->inputs - 2 * from, inputs = after < 2 * deep ? after : 2 * deep;
            const bf16 *x = p->x + start * p->row + 2 * from * p->input;
            if (p->row == 1)
                pack_across(x, p->input, rows, inputs, MOST, MOST * deep, room);
            else
                for (long r = 0; r < rows; r += MOST)
                    pack_along(x + r * p->row, p->row, rows - r < MOST ? rows - r : MOST, inputs,
                               MOST, room + r * deep);
            for (long n = 0; n < p->columns; n += WIDTH)
                for (long r = 0; r < rows; r += MOST) {
                    const uint32_t *w = p->panels + n * pairs + from * WIDTH;
                    (p->columns - n > LANES ? whole_block : half_block)(room + r * deep, w, deep, tile);
                    for (long i = 0; i < MOST && r + i < rows; i++)
                        store(p, tile + 2 * i, start + r + i, n, p->kept || from);
                }
        }
    }
}
