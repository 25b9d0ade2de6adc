/* The steps of an LSTM layer in training, products in bf16: all that lies between its large
 * products (model/lstm_steps.py), there and back, for some rows of a batch.
 *
 * Why it is fast: the recurrent matrix is packed once a pass into panels that the dot products of
 * AVX512-bf16 read in order; two panels and up to MOST rows share what they load; the gates of
 * LANES units are spent as soon as their sums stand, so a step's pre-activations never leave the
 * first cache; and a thread keeps its rows through all steps, so that none waits for another.
 *
 * Shapes. `units` is a multiple of LANES. Gates: (steps, batch, 4 units) in torch's order i f g o.
 * h, c: (1 + steps, batch, units), the first the state before.
 */

#include "pairs.h"
#include "share.h"

enum { WIDTH = 16 }; /* units come in blocks of so many, whatever LANES is */

typedef struct {
    const bf16 *w; /* w_hh (4 units, units) */
    uint32_t *panels; /* of (inputs / 2, LANES) pairs each */
    long units;
} packing;

/* For `steps_forward`: (units / LANES, 4 gates) panels; some of the blocks of WIDTH units. */
void pack_forward(const void *arguments, long first, long blocks)
{
    const packing *p = arguments;
    for (long u = first * WIDTH; u < (first + blocks) * WIDTH; u += LANES)
        for (long gate = 0; gate < 4; gate++)
            pack_along(p->w + (gate * p->units + u) * p->units, p->units, LANES, p->units, LANES,
                       p->panels + (4 * u + gate * LANES) * p->units / 2);
}

/* For `steps_backward`: the same transposed, units / LANES panels of 4 units inputs. */
void pack_backward(const void *arguments, long first, long blocks)
{
    const packing *p = arguments;
    for (long u = first * WIDTH; u < (first + blocks) * WIDTH; u += LANES)
        pack_across(p->w + u, p->units, LANES, 4 * p->units, LANES, 0,
                    p->panels + 2 * u * p->units);
}

/* `rows` rows of x times `panels` panels -> as many vectors a row. */
INLINE void block(const bf16 *x, long stride, long inputs, const bf16 *w, float *out,
                  long out_stride, const int rows, const int panels)
{
    floats sums[2][MOST];
    for (int p = 0; p < panels; p++)
        for (int r = 0; r < rows; r++) sums[p][r] = (floats){0};
    for (long k = 0; k < inputs; k += 2)
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < panels; p++)
                sums[p][r] = dot_bf16(sums[p][r], x + r * stride + k, w + (p * inputs + k) * LANES);
    for (int r = 0; r < rows; r++)
        for (int p = 0; p < panels; p++)
            *(floats *)(out + r * out_stride + p * LANES) = sums[p][r];
}

/* x (rows, inputs) times two panels or one, in blocks of rows that are as even as can be. */
INLINE void product(const bf16 *x, long stride, long rows, long inputs, const bf16 *w, float *out,
                    long out_stride, const int panels)
{
    for (long blocks = (rows + MOST - 1) / MOST; blocks > 0; blocks--) {
        long size = (rows + blocks - 1) / blocks;
        switch (size) {
#define CASE(n)                                                         \
    case n:                                                             \
        block(x, stride, inputs, w, out, out_stride, n, panels);        \
        break;
            CASE(1)
            CASE(2)
            CASE(3)
            CASE(4)
            CASE(5)
            CASE(6)
#if LANES == 16
            CASE(7)
            CASE(8)
            CASE(9)
            CASE(10)
            CASE(11)
            CASE(12)
#endif
#undef CASE
        }
        rows -= size, x += size * stride, out += size * out_stride;
    }
}

INLINE floats sigmoid(floats x) { return 1.0f / (1.0f + exponential(-x)); }
INLINE floats tangent(floats x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }

/* LANES units of one row. gate: of the input's part, then after sigmoids and tanh. */
INLINE void cell(bf16 *gate, long units, const float *tile, const float *c, float *c_next,
                 bf16 *h_next)
{
    const floats *sums = (const floats *)tile;
    floats i = sigmoid(wide(gate) + sums[0]), f = sigmoid(wide(gate + units) + sums[1]);
    floats g = tangent(wide(gate + 2 * units) + sums[2]);
    floats o = sigmoid(wide(gate + 3 * units) + sums[3]);
    floats now = f * *(const floats *)c + i * g;
    *(floats *)c_next = now;
    narrow(o * tangent(now), h_next);
    narrow(i, gate);
    narrow(f, gate + units);
    narrow(g, gate + 2 * units);
    narrow(o, gate + 3 * units);
}

typedef struct {
    long steps, batch, units;
    const bf16 *panels;
    bf16 *gates;
    float *c;
    bf16 *h;
    float *tiles; /* room for (batch, 4, LANES) */
} going;

/* Some of the batch's rows. */
void steps_forward(const void *arguments, long first, long rows)
{
    const going *g = arguments;
    const long units = g->units, state = g->batch * units;
    float *tile = g->tiles + first * 4 * LANES;
    for (long t = 0; t < g->steps; t++)
        for (long u = 0; u < units; u += LANES) {
            const long at = t * state + first * units;
            const bf16 *panels = g->panels + 4 * u * units, *h = g->h + at;
            product(h, units, rows, units, panels, tile, 4 * LANES, 2);
            product(h, units, rows, units, panels + 2 * LANES * units, tile + 2 * LANES, 4 * LANES,
                    2);
            for (long r = 0; r < rows; r++) {
                const long unit = at + r * units + u;
                cell(g->gates + 4 * (at + r * units) + u, units, tile + r * 4 * LANES, g->c + unit,
                     g->c + unit + state, g->h + unit + state);
            }
        }
}

/* LANES units of one row, back: d_c is moved one step back. */
INLINE void cell_back(const bf16 *gate, long units, const float *c, const float *c_next,
                      const bf16 *d_y, const float *d_h, float *d_c, bf16 *d_gate)
{
    floats i = wide(gate), f = wide(gate + units);
    floats g = wide(gate + 2 * units), o = wide(gate + 3 * units);
    floats tanh = tangent(*(const floats *)c_next);
    floats d_out = wide(d_y) + *(const floats *)d_h;
    floats d_cell = *(floats *)d_c + d_out * o * (1.0f - tanh * tanh);
    narrow(d_cell * g * i * (1.0f - i), d_gate);
    narrow(d_cell * *(const floats *)c * f * (1.0f - f), d_gate + units);
    narrow(d_cell * i * (1.0f - g * g), d_gate + 2 * units);
    narrow(d_out * tanh * o * (1.0f - o), d_gate + 3 * units);
    *(floats *)d_c = d_cell * f;
}

typedef struct {
    long steps, batch, units;
    const bf16 *panels, *gates;
    const float *c;
    const bf16 *d_y;
    float *d_h, *d_c; /* (batch, units), in as of the last step, out as of the state before */
    bf16 *d_gates;
} coming;

/* Some of the batch's rows. */
void steps_backward(const void *arguments, long first, long rows)
{
    const coming *b = arguments;
    const long units = b->units, state = b->batch * units, mine = first * units;
    for (long t = b->steps - 1; t >= 0; t--) {
        const long at = t * state + mine;
        for (long r = 0; r < rows; r++)
            for (long u = 0; u < units; u += LANES) {
                const long of = r * units + u, unit = at + of, gate = 4 * (at + r * units) + u;
                cell_back(b->gates + gate, units, b->c + unit, b->c + unit + state, b->d_y + unit,
                          b->d_h + mine + of, b->d_c + mine + of, b->d_gates + gate);
            }
        const bf16 *x = b->d_gates + 4 * at;
        float *out = b->d_h + mine;
        long u = 0;
        for (; u + LANES < units; u += 2 * LANES)
            product(x, 4 * units, rows, 4 * units, b->panels + 4 * u * units, out + u, units, 2);
        if (u < units)
            product(x, 4 * units, rows, 4 * units, b->panels + 4 * u * units, out + u, units, 1);
    }
}
