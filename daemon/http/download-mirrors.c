#include "daemon/http/download-mirrors.h"

#include <errno.h>

int mirrors_init(Mirrors *m, char *const *urls) {
    *m = (Mirrors){};
    while (urls[m->n])
        m->n++;
    m->list = calloc(m->n, sizeof(Mirror));
    if (!m->list)
        return -ENOMEM;
    for (size_t i = 0; i < m->n; i++)
        m->list[i].url = urls[i];
    m->last = m->n - 1;
    return 0;
}

void mirrors_done(Mirrors *m) {
    for (size_t i = 0; m->list && i < m->n; i++)
        free(m->list[i].why);
    free(m->list);
    *m = (Mirrors){};
}

static Mirror *loyal(Mirrors *m, const char *bound) {
    for (size_t i = 0; bound && i < m->n; i++)
        if (streq(m->list[i].url, bound) && !m->list[i].out && m->list[i].failures < MIRROR_LOYALTY)
            return &m->list[i];
    return NULL;
}

static Mirror *first_due(Mirrors *m) {
    Mirror *best = NULL;

    for (size_t i = 1; i <= m->n; i++) {
        Mirror *mirror = &m->list[(m->last + i) % m->n];
        if (!mirror->out && (!best || mirror->due_usec < best->due_usec))
            best = mirror;
    }
    return best;
}

Mirror *mirrors_next(Mirrors *m, const char *bound) {
    Mirror *next = loyal(m, bound) ?: first_due(m);

    if (next)
        m->last = (size_t)(next - m->list);
    return next;
}

void mirror_failed(Mirror *mirror, const char *why, uint64_t now_usec, uint64_t retry_after_usec,
                   uint64_t random) {
    char *copy = strdup(why);

    if (copy) {
        free(mirror->why);
        mirror->why = copy;
    }
    uint64_t delay = MIRROR_DELAY_FIRST << MIN(mirror->failures, 10u);
    delay = MIN(delay, MIRROR_DELAY_MAX);
    delay = MAX(delay - random % (delay / 2 + 1), retry_after_usec);
    mirror->due_usec = delay > UINT64_MAX - now_usec ? UINT64_MAX : now_usec + delay;
    mirror->failures++;
}

bool mirrors_all_failed(const Mirrors *m) {
    for (size_t i = 0; i < m->n; i++)
        if (!m->list[i].out && m->list[i].failures == 0)
            return false;
    return true;
}
