/* Work on every core, by the threads on which PyTorch's own loops run.
 *
 * Why not threads of our own: after a loop OpenMP's threads go on asking for work for
 * milliseconds, on the cores that others would have next; and they need not be made.
 */

#ifndef SHARE_H
#define SHARE_H

/* Some of the work: `count` of it from `first` on. */
typedef void (*part)(const void *arguments, long first, long count);
/* GOMP_parallel: every thread of a team calls the function once. */
typedef void (*team)(void (*function)(void *), void *data, unsigned threads, unsigned flags);

typedef struct {
    part work;
    const void *arguments;
    long count, parts, next;
} sharing;

/* The next part that nobody has taken, until there is none: whoever comes late gets less. */
static void take_parts(void *data)
{
    sharing *s = data;
    for (;;) {
        long i = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);
        if (i >= s->parts) return;
        long first = s->count * i / s->parts;
        s->work(s->arguments, first, s->count * (i + 1) / s->parts - first);
    }
}

/* All of `count`, in so many contiguous parts. */
void share(team in_parallel, part work, const void *arguments, long count, long parts,
           long threads)
{
    sharing s = {work, arguments, count, parts, 0};
    in_parallel(take_parts, &s, (unsigned)threads, 0);
}

#endif
