/* LSTM layers for prediction: no gradient, rows that end when they end, two kinds of product.
 *
 * Why it is fast: weights are packed once; the products run near the machine's rate (products_*.h);
 * the four gates of LANES units come out of neighbouring panels and are spent at once, so the
 * pre-activations of a step never leave the cache; and one call works through a window of steps on
 * one core, so that every core can have documents of its own and none waits for another.
 *
 * Shapes. `units` is a multiple of LANES (zeros behind the last true one). Weights: (units / LANES,
 * 4 gates in torch's order i f g o, inputs, LANES). Pre-activations of a row: (units / LANES, 4,
 * LANES). States h, c: (rows, units). Outputs: (1 + steps, rows, units), the first the state before.
 */

#include "packing.h"
#include "products_f32.h"
#include "products_i8.h"

int lanes(void) { return LANES; }
int levels(void) { return LEVELS; }
int has_fast_i8(void) { return VNNI || PAIRS; }

/* w (4 hidden, features) -> panels of units(hidden) and `inputs` >= features. */
void pack_f32(const float *w, long hidden, long features, long inputs, float *panels)
{
    matrix m = {w, hidden, features, inputs};
    for (long u = 0; u < padded(hidden); u += LANES)
        for (long gate = 0; gate < 4; gate++, panels += inputs * LANES)
            for (long l = 0; l < LANES; l++) {
                const float *row = row_of(m, gate, u + l);
                for (long k = 0; k < inputs; k++)
                    panels[k * LANES + l] = row && k < features ? row[k] : 0;
            }
}

void pack_i8(const float *w, long hidden, long features, long inputs, int8_t *panels, float *scale,
             int32_t *zero)
{
    matrix m = {w, hidden, features, inputs};
    for (long u = 0; u < padded(hidden); u += LANES)
        for (long gate = 0; gate < 4; gate++, panels += inputs * LANES)
            for (long l = 0; l < LANES; l++, scale++, zero++) {
                const float *row = row_of(m, gate, u + l);
                float by = row ? 1 / (*scale = column_scale(row, features)) : (*scale = 0);
                int32_t sum = 0;
                for (long k = 0; k < inputs; k++) {
                    float x = row && k < features ? row[k] * by : 0;
                    int8_t q = (int8_t)(int32_t)(x + (x < 0 ? -0.5f : 0.5f));
                    panels[(k / 4 * LANES + l) * 4 + k % 4] = q;
                    sum += q;
                }
                *zero = sum * ZERO;
            }
}

/* x (rows, inputs) times all panels (even in number) -> z (rows, panels, LANES). */
void product_f32(const float *x, long rows, long inputs, const float *w, long panels, float *z)
{
    for (long p = 0; p < panels; p += 2)
        panels_f32(x, rows, inputs, w + p * inputs * LANES, z + p * LANES, panels * LANES);
}

void product_i8(const uint8_t *q, const float *scale, long rows, long inputs, const int8_t *w,
                const float *w_scale, const int32_t *w_zero, long panels, float *z)
{
    for (long p = 0; p < panels; p++) {
        panel_i8 panel = {w + p * inputs * LANES, w_scale + p * LANES, w_zero + p * LANES};
        panel_by_rows_i8(q, scale, rows, inputs, panel, z + p * LANES, panels * LANES);
    }
}

/* Rows of numbers -> bytes around ZERO, each row with the scale that its largest number fills. */
void quantise(const float *x, long rows, long n, uint8_t *q, float *scale)
{
    for (long r = 0; r < rows; r++, x += n, q += n) {
        float most = 1e-12f;
        for (long i = 0; i < n; i++) {
            float size = x[i] < 0 ? -x[i] : x[i];
            most = size > most ? size : most;
        }
        scale[r] = most / LEVELS;
        float by = LEVELS / most;
        for (long i = 0; i < n; i++) q[i] = (uint8_t)(int32_t)(x[i] * by + (ZERO + 0.5f));
    }
}

/* LANES units of one row: pre-activations in two parts and a bias -> c and h. A sigmoid is
 * 1 / (1 + e^-x), a tanh (1 - e^-2x) / (1 + e^-2x); where two are multiplied they share the division. */
INLINE void gates(const float *restrict a, const float *restrict b, const float *restrict bias,
                  float *restrict c, float *restrict h)
{
    for (int l = 0; l < LANES; l++) {
        float i = a[l] + b[l] + bias[l];
        float f = a[LANES + l] + b[LANES + l] + bias[LANES + l];
        float g = a[2 * LANES + l] + b[2 * LANES + l] + bias[2 * LANES + l];
        float o = a[3 * LANES + l] + b[3 * LANES + l] + bias[3 * LANES + l];
        float ei = exponential(-i), ef = exponential(-f), eg = exponential(-2.0f * g);
        c[l] = c[l] / (1.0f + ef) + (1.0f - eg) / ((1.0f + ei) * (1.0f + eg));
        float eo = exponential(-o), ec = exponential(-2.0f * c[l]);
        h[l] = (1.0f - ec) / ((1.0f + eo) * (1.0f + ec));
    }
}

/* All rows of one step for the units from `u` on. tile: (rows, 4, LANES) of h @ w_hh. */
static void unit_gates(const float *const *z, const float *tile, const float *bias, long rows,
                       long units, long u, float *c, float *h)
{
    for (long r = 0; r < rows; r++)
        gates(z[r] + 4 * u, tile + r * 4 * LANES, bias + 4 * u, c + r * units + u,
              h + r * units + u);
}

/* z: (steps, rows) pointers to the input's part of the pre-activations. */
void lstm_f32(long steps, long rows, long units, const float *const *z, const float *bias,
              const float *w, float *tile, float *c, float *out)
{
    for (long t = 0; t < steps; t++, z += rows) {
        const float *before = out + t * rows * units;
        float *h = out + (t + 1) * rows * units;
        for (long u = 0; u < units; u += LANES) {
            const float *panels = w + 4 * u * units;
            panels_f32(before, rows, units, panels, tile, 4 * LANES);
            panels_f32(before, rows, units, panels + 2 * units * LANES, tile + 2 * LANES,
                       4 * LANES);
            unit_gates(z, tile, bias, rows, units, u, c, h);
        }
    }
}

/* The same with h as bytes: q (1 + steps, rows, units) and q_scale (1 + steps, rows). */
void lstm_i8(long steps, long rows, long units, const float *const *z, const float *bias,
             const int8_t *w, const float *w_scale, const int32_t *w_zero, float *tile, float *c,
             float *out, uint8_t *q, float *q_scale)
{
    for (long t = 0; t < steps; t++, z += rows) {
        const uint8_t *before = q + t * rows * units;
        float *h = out + (t + 1) * rows * units;
        for (long u = 0; u < units; u += LANES) {
            for (long g = 0; g < 4; g++) {
                long p = 4 * u + g * LANES;
                panel_i8 panel = {w + p * units, w_scale + p, w_zero + p};
                panel_by_rows_i8(before, q_scale + t * rows, rows, units, panel, tile + g * LANES,
                                 4 * LANES);
            }
            unit_gates(z, tile, bias, rows, units, u, c, h);
        }
        quantise(h, rows, units, q + (t + 1) * rows * units, q_scale + (t + 1) * rows);
    }
}

/* Running maximum and sum of each row's outputs at its steps from[r] ... to[r] - 1. */
void pool(const float *h, long rows, long units, const int64_t *from, const int64_t *to,
          float *maximum, float *sum)
{
    for (long r = 0; r < rows; r++)
        for (int64_t t = from[r]; t < to[r]; t++) {
            const float *x = h + (t * rows + r) * units;
            for (long i = 0; i < units; i++) {
                float *most = maximum + r * units + i;
                *most = x[i] > *most ? x[i] : *most;
                sum[r * units + i] += x[i];
            }
        }
}
