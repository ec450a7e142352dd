#include <stdlib.h>

#include "common/clock.h"
#include "daemon/http/backend-watch-private.h"

/* ---- texts ---- */

bool backend_news_set(char **field, const char *text) {
    char *copy;

    if (streq(strempty(*field), text))
        return false;
    copy = strdup(text);
    if (!copy)
        return false;
    free(*field);
    *field = copy;
    return true;
}

/* FNV-1a. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* True: for the first time. */
static bool told_add(BackendTold *t, const char *text) {
    uint64_t hash = hash_of(text);

    for (unsigned i = 0; i < MIN(t->n, (unsigned)BACKEND_TOLD_MAX); i++)
        if (t->hashes[i] == hash)
            return false;
    t->hashes[t->n % BACKEND_TOLD_MAX] = hash;
    t->n = t->n + 1 < 2 * BACKEND_TOLD_MAX ? t->n + 1 : BACKEND_TOLD_MAX;
    return true;
}

/* ---- good and bad ---- */

void backend_news_good(BackendWatch *w, BackendSource from, uint64_t latency_usec) {
    Backend *b = w->b;

    b->last_update = clock_usec(CLOCK_REALTIME);
    b->latency_usec = latency_usec;
    w->told[from] = (BackendTold){};
    if (from == w->error_from || w->error_from == BACKEND_FROM_OTHERS)
        backend_news_set(&b->last_error, "");
}

void backend_news_bad(BackendWatch *w, BackendSource from, const char *text, bool tell) {
    const BackendEvents *events = w->all->events;
    bool first = from == BACKEND_FROM_OTHERS || told_add(&w->told[from], text);

    backend_news_set(&w->b->last_error, text);
    w->error_from = from;
    if (tell && first && events->error)
        events->error(w->all->userdata, w->b, text);
}

/* ---- the status ---- */

void backend_news_keep_status(BackendWatch *w, const char *json) {
    size_t *total = &w->all->status_bytes, size = json ? strlen(json) + 1 : 0;
    Backend *b = w->b;

    if (json && b->status && streq(json, b->status))
        return;
    if (b->status)
        *total -= strlen(b->status) + 1;
    free(b->status);
    b->status = NULL;
    if (!json || size > BACKEND_STATUS_MAX || *total + size > BACKEND_STATUS_TOTAL_MAX)
        return;
    b->status = strdup(json);
    if (b->status)
        *total += size;
}
