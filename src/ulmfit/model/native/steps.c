/* The steps of an LSTM layer in training, products in bf16: all that lies between its large
 * products (model/lstm_steps.py), there and back, for some rows of a batch.
 *
 * Why it is fast: the recurrent matrix is packed once a pass into panels that the dot products of
 * AVX512-bf16 read in order; two panels and up to MOST rows share what they load; the gates of
 * LANES units are spent as soon as their sums stand, so a step's pre-activations never leave the
 * first cache; and a thread keeps its rows through all steps, so that none waits for another.
 *
 * Shapes. `units` is a multiple of LANES. Gates: (steps, batch, 4 units) in torch's order i f g o.
 * h, c: (1 + steps, batch, units), the first the state before. A call works on the rows `first` to
 * `first + rows` of the batch.
 */

#include "vectors.h"

typedef uint16_t bf16;

INLINE float wide(bf16 x)
{
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* To the nearest, ties to even; what is not a number stays so. */
INLINE bf16 narrow(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (bf16)((bits & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : rounded);
}

/* Whether this CPU has the instruction that `dot` is written for. */
int steps_are_fast(void)
{
#if defined(__AVX512BF16__) && LANES == 16
    return 1;
#else
    return 0;
#endif
}

/* w (outputs, inputs) by its strides -> panels (outputs / LANES, inputs / 2, LANES, 2). */
static void pack(const bf16 *w, long output, long input, long inputs, bf16 *panel)
{
    for (long k = 0; k < inputs; k += 2)
        for (long l = 0; l < LANES; l++, panel += 2) {
            panel[0] = w[l * output + k * input];
            panel[1] = w[l * output + (k + 1) * input];
        }
}

/* For `steps_forward`: w_hh (4 units, units) -> (units / LANES, 4 gates) panels; some of the blocks. */
void pack_forward(const bf16 *w, long units, long from, long to, bf16 *panels)
{
    for (long u = from; u < to; u += LANES)
        for (long gate = 0; gate < 4; gate++)
            pack(w + (gate * units + u) * units, units, 1, units,
                 panels + (4 * u + gate * LANES) * units);
}

/* For `steps_backward`: the same transposed, units / LANES panels of 4 units inputs. */
void pack_backward(const bf16 *w, long units, long from, long to, bf16 *panels)
{
    for (long u = from; u < to; u += LANES)
        pack(w + u, 1, units, 4 * units, panels + 4 * u * units);
}

/* sum + both products of each column; x is a pair of inputs. */
INLINE floats dot(floats sum, const bf16 *x, const bf16 *w)
{
#if defined(__AVX512BF16__) && LANES == 16
    int32_t pair;
    memcpy(&pair, x, sizeof pair);
    return (floats)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair),
                                    (__m512bh)_mm512_loadu_si512(w));
#else
    for (int l = 0; l < LANES; l++)
        sum[l] += wide(x[0]) * wide(w[2 * l]) + wide(x[1]) * wide(w[2 * l + 1]);
    return sum;
#endif
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
                sums[p][r] = dot(sums[p][r], x + r * stride + k, w + (p * inputs + k) * LANES);
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

/* LANES units of one row. gate: of the input's part, then after sigmoids and tanh. */
INLINE void cell(bf16 *restrict gate, long units, const float *restrict tile,
                 const float *restrict c, float *restrict c_next, bf16 *restrict h_next)
{
    for (int l = 0; l < LANES; l++) {
        float i = wide(gate[l]) + tile[l];
        float f = wide(gate[units + l]) + tile[LANES + l];
        float g = wide(gate[2 * units + l]) + tile[2 * LANES + l];
        float o = wide(gate[3 * units + l]) + tile[3 * LANES + l];
        i = 1.0f / (1.0f + exponential(-i));
        f = 1.0f / (1.0f + exponential(-f));
        g = 2.0f / (1.0f + exponential(-2.0f * g)) - 1.0f;
        o = 1.0f / (1.0f + exponential(-o));
        float now = f * c[l] + i * g;
        c_next[l] = now;
        h_next[l] = narrow(o * (2.0f / (1.0f + exponential(-2.0f * now)) - 1.0f));
        gate[l] = narrow(i);
        gate[units + l] = narrow(f);
        gate[2 * units + l] = narrow(g);
        gate[3 * units + l] = narrow(o);
    }
}

/* tile: room for (rows, 4, LANES). */
void steps_forward(long steps, long batch, long units, long first, long rows, const bf16 *w,
                   bf16 *gates, float *c, bf16 *h, float *tile)
{
    const long state = batch * units;
    for (long t = 0; t < steps; t++)
        for (long u = 0; u < units; u += LANES) {
            const long at = t * state + first * units;
            const bf16 *panels = w + 4 * u * units;
            product(h + at, units, rows, units, panels, tile, 4 * LANES, 2);
            product(h + at, units, rows, units, panels + 2 * LANES * units, tile + 2 * LANES,
                    4 * LANES, 2);
            for (long r = 0; r < rows; r++) {
                const long unit = at + r * units + u;
                cell(gates + 4 * (at + r * units) + u, units, tile + r * 4 * LANES, c + unit,
                     c + unit + state, h + unit + state);
            }
        }
}

/* LANES units of one row, back: d_c is moved one step back. */
INLINE void cell_back(const bf16 *restrict gate, long units, const float *restrict c,
                      const float *restrict c_next, const bf16 *restrict d_y,
                      const float *restrict d_h, float *restrict d_c, bf16 *restrict d_gate)
{
    for (int l = 0; l < LANES; l++) {
        float i = wide(gate[l]), f = wide(gate[units + l]);
        float g = wide(gate[2 * units + l]), o = wide(gate[3 * units + l]);
        float tanh = 2.0f / (1.0f + exponential(-2.0f * c_next[l])) - 1.0f;
        float d_out = wide(d_y[l]) + d_h[l];
        float d_cell = d_c[l] + d_out * o * (1.0f - tanh * tanh);
        d_gate[l] = narrow(d_cell * g * i * (1.0f - i));
        d_gate[units + l] = narrow(d_cell * c[l] * f * (1.0f - f));
        d_gate[2 * units + l] = narrow(d_cell * i * (1.0f - g * g));
        d_gate[3 * units + l] = narrow(d_out * tanh * o * (1.0f - o));
        d_c[l] = d_cell * f;
    }
}

/* d_h, d_c (batch, units) come in as of the last step and go out as of the state before. */
void steps_backward(long steps, long batch, long units, long first, long rows, const bf16 *w,
                    const bf16 *gates, const float *c, const bf16 *d_y, float *d_h, float *d_c,
                    bf16 *d_gates)
{
    const long state = batch * units, mine = first * units;
    for (long t = steps - 1; t >= 0; t--) {
        const long at = t * state + mine;
        for (long r = 0; r < rows; r++)
            for (long u = 0; u < units; u += LANES) {
                const long unit = at + r * units + u, gate = 4 * (at + r * units) + u;
                cell_back(gates + gate, units, c + unit, c + unit + state, d_y + unit,
                          d_h + mine + r * units + u, d_c + mine + r * units + u, d_gates + gate);
            }
        const bf16 *x = d_gates + 4 * at;
        float *out = d_h + mine;
        long u = 0;
        for (; u + LANES < units; u += 2 * LANES)
            product(x, 4 * units, rows, 4 * units, w + 4 * u * units, out + u, units, 2);
        if (u < units)
            product(x, 4 * units, rows, 4 * units, w + 4 * u * units, out + u, units, 1);
    }
}
