/* LSTM layers for prediction: no gradient, rows that end when they end, three kinds of product.
 *
 * Why it is fast: weights are packed once; the products run near the machine's rate (products_*.h);
 * the four gates of LANES units come out of neighbouring panels and are spent at once, so the
 * pre-activations of a step never leave the cache; and one call works through a window of steps on
 * one core, so that every core can have documents of its own and none waits for another.
 *
 * Shapes. `units` is a multiple of LANES (zeros behind the last true one). Weights: packing.h,
 * the gates in torch's order i f g o. Pre-activations of a row: (units / LANES, 4, LANES). States h,
 * c: (rows, units). Outputs: (1 + steps, rows, units), the first the state before.
 */

#include "packing.h"
#include "products_bf16.h"
#include "products_f32.h"
#include "products_i8.h"

int lanes(void) { return LANES; }
int abreast_i8(void) { return ABREAST_I8; }
int levels(void) { return LEVELS; }
int has_fast_i8(void) { return VNNI || PAIRS; }

/* w (4 hidden, features) -> panels of units(hidden) and `inputs` >= features. */
void pack_f32(const float *w, long hidden, long features, long inputs, float *panels)
{
    matrix m = {w, hidden, features, inputs};
    for (long u = 0; u < padded(hidden); u += LANES, panels += 4 * inputs * LANES)
        for (long gate = 0; gate < 4; gate++)
            for (long l = 0; l < LANES; l++) {
                const float *row = row_of(m, gate, u + l);
                for (long k = 0; k < inputs; k++)
                    panels[place(gate, l, k, inputs, ABREAST_F32, 1)] =
                        row && k < features ? row[k] : 0;
            }
}

void pack_i8(const float *w, long hidden, long features, long inputs, int8_t *panels, float *scale,
             int32_t *zero)
{
    matrix m = {w, hidden, features, inputs};
    for (long u = 0; u < padded(hidden); u += LANES, panels += 4 * inputs * LANES)
        for (long gate = 0; gate < 4; gate++)
            for (long l = 0; l < LANES; l++, scale++, zero++) {
                const float *row = row_of(m, gate, u + l);
                float by = row ? 1 / (*scale = column_scale(row, features)) : (*scale = 0);
                int32_t sum = 0;
                for (long k = 0; k < inputs; k++) {
                    float x = row && k < features ? row[k] * by : 0;
                    int8_t q = (int8_t)(int32_t)(x + (x < 0 ? -0.5f : 0.5f));
                    panels[place(gate, l, k, inputs, ABREAST_I8, 4)] = q;
                    sum += q;
                }
                *zero = sum * ZERO;
            }
}

void pack_bf16(const float *w, long hidden, long features, long inputs, bf16 *panels)
{
    matrix m = {w, hidden, features, inputs};
    for (long u = 0; u < padded(hidden); u += LANES, panels += 4 * inputs * LANES)
        for (long gate = 0; gate < 4; gate++)
            for (long k = 0; k < inputs; k++) {
                float column[LANES];
                bf16 rounded[LANES];
                for (long l = 0; l < LANES; l++) {
                    const float *row = row_of(m, gate, u + l);
                    column[l] = row && k < features ? row[k] : 0;
                }
                narrow(*(const floats *)column, rounded);
                for (long l = 0; l < LANES; l++)
                    panels[place(gate, l, k, inputs, ABREAST_BF16, 2)] = rounded[l];
            }
}

/* x (rows, inputs) times all panels (four for every LANES units) -> z (rows, panels, LANES). */
void product_f32(const float *x, long rows, long inputs, const float *w, long panels, float *z)
{
    for (long p = 0; p < panels; p += ABREAST_F32)
        rows_by_panels_f32(x, rows, inputs, w + p * inputs * LANES, z + p * LANES, panels * LANES);
}

void product_i8(const uint8_t *q, const float *scale, long rows, long inputs, const int8_t *w,
                const float *w_scale, const int32_t *w_zero, long panels, float *z)
{
    for (long p = 0; p < panels; p += ABREAST_I8) {
        panels_i8 some = {w + p * inputs * LANES, w_scale + p * LANES, w_zero + p * LANES};
        rows_by_panels_i8(q, scale, rows, inputs, some, z + p * LANES, panels * LANES);
    }
}

void product_bf16(const bf16 *x, long rows, long inputs, const bf16 *w, long panels, float *z)
{
    for (long p = 0; p < panels; p += ABREAST_BF16)
        rows_by_panels_bf16(x, rows, inputs, w + p * inputs * LANES, z + p * LANES, panels * LANES);
}

/* Of numbers, a multiple of LANES; more than 0. */
INLINE float largest_size(const float *x, long n)
{
    floats sizes = (floats){0} + 1e-12f;
    for (long i = 0; i < n; i += LANES) {
        floats some = *(const floats *)(x + i);
        sizes = largest(sizes, largest(some, -some));
    }
    float most = 0;
    for (int l = 0; l < LANES; l++) most = sizes[l] > most ? sizes[l] : most;
    return most;
}

/* Rows of numbers -> bytes around ZERO, each row with the scale that its largest number fills. */
void quantise(const float *x, long rows, long n, uint8_t *q, float *scale)
{
    for (long r = 0; r < rows; r++, x += n, q += n) {
        float most = largest_size(x, n);
        scale[r] = most / LEVELS;
        float by = LEVELS / most;
        for (long i = 0; i < n; i++) q[i] = (uint8_t)(int32_t)(x[i] * by + (ZERO + 0.5f));
    }
}

/* n numbers, a multiple of LANES -> bf16. */
void narrow_rows(const float *x, long n, bf16 *out)
{
    for (long i = 0; i < n; i += LANES) narrow(*(const floats *)(x + i), out + i);
}

/* LANES units of one row: pre-activations in two parts and a bias -> c and h. A sigmoid is
 * 1 / (1 + e^-x), a tanh (1 - e^-2x) / (1 + e^-2x); where two are multiplied they share the division. */
INLINE void gates(const floats *a, const floats *b, const floats *bias, floats *c, floats *h)
{
    floats i = a[0] + b[0] + bias[0], f = a[1] + b[1] + bias[1];
    floats g = a[2] + b[2] + bias[2], o = a[3] + b[3] + bias[3];
    floats ei = exponential(-i), ef = exponential(-f), eg = exponential(-2.0f * g);
    *c = *c / (1.0f + ef) + (1.0f - eg) / ((1.0f + ei) * (1.0f + eg));
    floats eo = exponential(-o), ec = exponential(-2.0f * *c);
    *h = (1.0f - ec) / ((1.0f + eo) * (1.0f + ec));
}

/* One step of a layer. z: (rows,) pointers to the input's part of the pre-activations; tile: (rows,
 * 4, LANES) of h @ w_hh. */
typedef struct {
    const float *const *z, *bias;
    float *tile, *c, *h;
    long units;
} step;

/* Ask for what `unit_gates` reads and writes beside the tile, scattered as it is, to have it there
 * when the products are done. */
INLINE void fetch_units(step s, long r, long to, long u)
{
    for (; r < to; r++) {
        fetch(s.z[r] + 4 * u, 4 * LANES);
        fetch(s.c + r * s.units + u, LANES);
        fetch(s.h + r * s.units + u, LANES);
    }
}

/* The units from `u` on of rows r ... to - 1; the tile begins with row r. */
static void unit_gates(step s, long r, long to, long u)
{
    for (const float *tile = s.tile; r < to; r++, tile += 4 * LANES)
        gates((const floats *)(s.z[r] + 4 * u), (const floats *)tile,
              (const floats *)(s.bias + 4 * u), (floats *)(s.c + r * s.units + u),
              (floats *)(s.h + r * s.units + u));
}

/* z: (steps, rows) pointers to the input's part of the pre-activations. */
void lstm_f32(long steps, long rows, long units, const float *const *z, const float *bias,
              const float *w, float *tile, float *c, float *out)
{
    const long height = ABREAST_F32 == 4 ? HIGH_F32 : rows; /* of rows that go on to their gates */
    for (long t = 0; t < steps; t++, z += rows) {
        const float *before = out + t * rows * units;
        step s = {z, bias, tile, c, out + (t + 1) * rows * units, units};
        for (long u = 0; u < units; u += LANES)
            for (long r = 0, to; r < rows; r = to) {
                to = r + height < rows ? r + height : rows;
                fetch_units(s, r, to, u);
                for (long p = 4 * u; p < 4 * (u + LANES); p += ABREAST_F32 * LANES)
                    rows_by_panels_f32(before + r * units, to - r, units, w + p * units,
                                       tile + p - 4 * u, 4 * LANES);
                unit_gates(s, r, to, u);
            }
    }
}

/* The same with h in bf16 too: x (1 + steps, rows, units). */
void lstm_bf16(long steps, long rows, long units, const float *const *z, const float *bias,
               const bf16 *w, float *tile, float *c, float *out, bf16 *x)
{
    for (long t = 0; t < steps; t++, z += rows, x += rows * units) {
        step s = {z, bias, tile, c, out + (t + 1) * rows * units, units};
        for (long u = 0; u < units; u += LANES)
            for (long r = 0, to; r < rows; r = to) {
                to = r + HIGH_BF16 < rows ? r + HIGH_BF16 : rows;
                fetch_units(s, r, to, u);
                rows_by_panels_bf16(x + r * units, to - r, units, w + 4 * u * units, tile,
                                    4 * LANES);
                unit_gates(s, r, to, u);
            }
        narrow_rows(s.h, rows * units, x + rows * units);
    }
}

/* The same with h as bytes: q (1 + steps, rows, units) and q_scale (1 + steps, rows). */
void lstm_i8(long steps, long rows, long units, const float *const *z, const float *bias,
             const int8_t *w, const float *w_scale, const int32_t *w_zero, float *tile, float *c,
             float *out, uint8_t *q, float *q_scale)
{
    const long height = ABREAST_I8 == 4 ? HIGH_I8 : rows; /* of rows that go on to their gates */
    for (long t = 0; t < steps; t++, z += rows, q += rows * units, q_scale += rows) {
        step s = {z, bias, tile, c, out + (t + 1) * rows * units, units};
        for (long u = 0; u < units; u += LANES)
            for (long r = 0, to; r < rows; r = to) {
                to = r + height < rows ? r + height : rows;
                fetch_units(s, r, to, u);
                for (long p = 4 * u; p < 4 * (u + LANES); p += ABREAST_I8 * LANES) {
                    panels_i8 panels = {w + p * units, w_scale + p, w_zero + p};
                    rows_by_panels_i8(q + r * units, q_scale + r, to - r, units, panels,
                                      tile + p - 4 * u, 4 * LANES);
                }
                unit_gates(s, r, to, u);
            }
        quantise(s.h, rows, units, q + rows * units, q_scale + rows);
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
