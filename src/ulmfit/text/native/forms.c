/* Texts -> numbers of their surface forms, and each new form cut into parts that are numbered too.
 *
 * Why it is fast: a form is read once, where it stands in the text, eight bytes at a time, and what
 * a look-up touches lies in two places, a slot of 16 bytes and the form's own bytes; Python makes
 * an object of each form and touches four. New forms are many, the words and signs in them few:
 * only what is new among those goes back to Python.
 *
 * Numbers are given in order of first sight, so they do not depend on the hash, whose seed is drawn
 * for each table: nobody can write texts that collide.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BEGIN = 0, NEWLINE = 1, FIRST = 2 }; /* forms' numbers, as numbering.py has them */
enum { OPENS = 0xff };                      /* the byte before a text; UTF-8 has none such */
enum { PADDING = 8 };                       /* bytes behind the texts that may be read */

typedef const unsigned char *Bytes;

typedef struct {
    uint64_t place; /* where `bytes` has what was numbered, after 8 bytes of its length */
    uint32_t tag;   /* high half of its hash: saves most comparisons */
    int32_t number; /* plus one; 0: the slot is free */
} Slot;

typedef struct {
    Slot *slots;
    uint64_t mask; /* slots - 1; their number is a power of two, at least twice `filled` */
    uint64_t filled;
    unsigned char *bytes;
    uint64_t used, room;
    uint64_t seed;
    int32_t count; /* the next number */
} Table;

typedef struct {
    Table forms, parts;
    int32_t cuts;
} Numbering;

typedef struct {
    int64_t numbers, forms, parts, new_parts, new_bytes;
} Counts;

static inline uint64_t eight(Bytes from) {
    uint64_t value;
    memcpy(&value, from, 8);
    return value;
}

static inline uint64_t mixed(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Reads up to 7 bytes behind. */
static inline uint64_t hashed(Bytes key, uint64_t length, uint64_t seed) {
    uint64_t hash = seed ^ length * 0x9e3779b97f4a7c15u;
    while (length > 8) {
        hash = mixed(hash ^ eight(key), 0xd6e8feb86659fd93u ^ seed);
        key += 8;
        length -= 8;
    }
    uint64_t last = eight(key) & (~(uint64_t)0 >> (64 - 8 * length));
    return mixed(hash ^ last, 0xa0761d6478bd642fu ^ seed);
}

static int opened(Table *table, uint64_t seed, int32_t first) {
    table->mask = (1 << 12) - 1;
    table->room = 1 << 16;
    table->seed = seed;
    table->count = first;
    table->slots = calloc(table->mask + 1, sizeof *table->slots);
    table->bytes = malloc(table->room);
    return table->slots && table->bytes;
}

static int kept(Table *table, Bytes key, uint64_t length) {
    uint64_t needed = table->used + 8 + length + PADDING;
    if (needed > table->room) {
        unsigned char *bytes = realloc(table->bytes, 2 * needed);
        if (!bytes) return 0;
        table->bytes = bytes;
        table->room = 2 * needed;
    }
    memcpy(table->bytes + table->used, &length, 8);
    memcpy(table->bytes + table->used + 8, key, length);
    memset(table->bytes + table->used + 8 + length, 0, PADDING);
    table->used = needed;
    return 1;
}

static int grown(Table *table) {
    uint64_t mask = 2 * table->mask + 1;
    Slot *slots = calloc(mask + 1, sizeof *slots);
    if (!slots) return 0;
    for (uint64_t i = 0; i <= table->mask; i++) {
        Slot slot = table->slots[i];
        if (!slot.number) continue;
        Bytes at = table->bytes + slot.place;
        uint64_t j = hashed(at + 8, eight(at), table->seed) & mask;
        while (slots[j].number) j = (j + 1) & mask;
        slots[j] = slot;
    }
    free(table->slots);
    table->slots = slots;
    table->mask = mask;
    return 1;
}

/* What was numbered has its number again, what is new the next; -1 without memory. */
static inline int32_t number(Table *table, Bytes key, uint64_t length) {
    uint64_t hash = hashed(key, length, table->seed);
    uint32_t tag = (uint32_t)(hash >> 32);
    uint64_t i = hash & table->mask;
    for (; table->slots[i].number; i = (i + 1) & table->mask) {
        if (table->slots[i].tag != tag) continue;
        Bytes at = table->bytes + table->slots[i].place;
        if (eight(at) == length && !memcmp(at + 8, key, length)) return table->slots[i].number - 1;
    }
    if (2 * table->filled > table->mask) {
        if (!grown(table)) return -1;
        for (i = hash & table->mask; table->slots[i].number;) i = (i + 1) & table->mask;
    }
    uint64_t place = table->used;
    if (!kept(table, key, length)) return -1;
    table->filled++;
    table->slots[i] = (Slot){place, tag, ++table->count};
    return table->count - 1;
}

/* cutting.py's classes, of ASCII alone. */
enum { LETTER = 1, DIGIT = 2, SIGN = 4 };
#define S SIGN
static const unsigned char classes[256] = {
    ['a' ... 'z'] = LETTER, ['A' ... 'Z'] = LETTER, ['0' ... '9'] = DIGIT,
    [','] = S, ['.'] = S, [')'] = S, ['"'] = S, ['('] = S, ['-'] = S, ['?'] = S, ['!'] = S,
    [':'] = S, [';'] = S, ['/'] = S, ['*'] = S, ['%'] = S, ['$'] = S, ['='] = S, ['#'] = S,
    ['+'] = S, ['['] = S, [']'] = S, ['>'] = S, ['|'] = S, ['~'] = S, ['{'] = S, ['}'] = S,
    ['`'] = S, ['^'] = S,
};

static inline int is(unsigned char c, int class) { return classes[c] & class; }

/* Whether cutting.py cuts a form too. No wherever that takes a closer look: at an address, at an
 * apostrophe, at a stop that may be an abbreviation's, at any character beyond ASCII. */
static int is_simple(Bytes form, int64_t length) {
    int64_t apostrophes = 0;
    if (length == 1 && *form == '-') return 0;
    for (int64_t i = 0; i < length; i++) {
        unsigned char c = form[i];
        if (c == '\'') {
            int between = i > 1 && i + 1 < length && is(form[i - 2], LETTER) &&
                          is(form[i - 1], LETTER) && is(form[i + 1], LETTER);
            if (!between || ++apostrophes > 1) return 0;
        } else if (!classes[c]) {
            return 0;
        } else if (c == '/' && i > 1 && form[i - 1] == '/' && form[i - 2] == ':') {
            return 0;
        } else if (c == '.' && i > 2 && !memcmp(form + i - 3, "www", 3)) {
            return 0;
        }
    }
    if (form[length - 1] != '.') return 1;
    int64_t letters = 0;
    while (letters < length - 1 && is(form[length - 2 - letters], LETTER)) letters++;
    return letters == 0 || letters > 4;
}

/* Where the part that starts at i ends: cutting.py's pattern, of a form that is simple. */
static int64_t part_end(Bytes form, int64_t i, int64_t length) {
    int64_t start = i;
    if (is(form[i], SIGN)) {
        while (i < length && form[i] == form[start]) i++;
        return i;
    }
    if (is(form[i], LETTER)) { /* U.S.  e.g  p.m. */
        while (i + 1 < length && is(form[i], LETTER) && form[i + 1] == '.') i += 2;
        if (i - start >= 4) {
            int one = i < length && is(form[i], LETTER) &&
                      (i + 1 == length || !is(form[i + 1], LETTER | DIGIT));
            return i + one;
        }
        i = start;
    } else { /* 3.14  1,000  12:30 */
        while (i < length && is(form[i], DIGIT)) i++;
        int64_t whole = i;
        while (i + 1 < length && (form[i] == '.' || form[i] == ',' || form[i] == ':') &&
               is(form[i + 1], DIGIT))
            for (i++; i < length && is(form[i], DIGIT);) i++;
        if (i > whole) return i;
        i = start;
    }
    while (i < length && (is(form[i], LETTER | DIGIT) || form[i] == '\'')) i++;
    return i;
}

void numbering_free(Numbering *numbering) {
    free(numbering->forms.slots), free(numbering->forms.bytes);
    free(numbering->parts.slots), free(numbering->parts.bytes);
    free(numbering);
}

Numbering *numbering_new(uint64_t seed, int32_t cuts) {
    Numbering *made = calloc(1, sizeof *made);
    if (!made) return NULL;
    made->cuts = cuts;
    if (opened(&made->forms, seed, FIRST) && opened(&made->parts, ~seed, 0)) return made;
    numbering_free(made);
    return NULL;
}

/* texts: UTF-8 of `size` bytes and PADDING more, each text with OPENS before it.
 * Written, each with room for `size`:
 * numbers: of the forms, in order. lengths: the parts of each new form. parts: their numbers.
 * new_parts: a start and an end each; the end below zero where the part is a form not cut.
 * Returns 0 without memory, and then the numbering is to be thrown away. */
int32_t numbering_number(Numbering *n, Bytes texts, int64_t size, int32_t *numbers,
                         int32_t *lengths, int32_t *parts, int64_t (*new_parts)[2],
                         Counts *counts) {
    Counts done = {0};
    for (int64_t i = 0; i < size;) {
        unsigned char c = texts[i];
        if (c == ' ' || c == '\n' || c == OPENS) {
            if (c != ' ') numbers[done.numbers++] = c == OPENS ? BEGIN : NEWLINE;
            i++;
            continue;
        }
        int64_t start = i;
        do c = texts[++i];
        while (i < size && c != ' ' && c != '\n' && c != OPENS);
        Bytes form = texts + start;
        int64_t length = i - start;
        int32_t next = n->forms.count;
        int32_t given = number(&n->forms, form, (uint64_t)length);
        if (given < 0) return 0;
        numbers[done.numbers++] = given;
        if (given != next) continue;
        done.new_bytes += length;
        int64_t first = done.parts;
        if (n->cuts && is_simple(form, length)) {
            for (int64_t from = 0, to; from < length; from = to) {
                to = part_end(form, from, length);
                int32_t next_part = n->parts.count;
                int32_t part = number(&n->parts, form + from, (uint64_t)(to - from));
                if (part < 0) return 0;
                parts[done.parts++] = part;
                if (part != next_part) continue;
                new_parts[done.new_parts][0] = start + from;
                new_parts[done.new_parts++][1] = start + to;
            }
        } else {
            parts[done.parts++] = n->parts.count++;
            new_parts[done.new_parts][0] = start;
            new_parts[done.new_parts++][1] = -i;
        }
        lengths[done.forms++] = (int32_t)(done.parts - first);
    }
    *counts = done;
    return 1;
}

/* ragged.py's sequences: how many values those of these numbers have in all. */
int64_t ragged_size(const int64_t *length, const int32_t *which, int64_t count) {
    int64_t size = 0;
    for (int64_t i = 0; i < count; i++) size += length[which[i]];
    return size;
}

/* Their values, one sequence after the other, into `taken`. */
void ragged_take(const int64_t *first, const int64_t *length, const int32_t *values,
                 const int32_t *which, int64_t count, int32_t *taken) {
    for (int64_t i = 0; i < count; i++) {
        const int32_t *from = values + first[which[i]];
        int64_t long_ = length[which[i]];
        for (int64_t j = 0; j < long_; j++) *taken++ = from[j];
    }
}
