#include "daemon/commit-calls.h"

#include <errno.h>

#include "common/cleanup.h"

static int make_room(CommitCalls *l, size_t more) {
    size_t n = MAX(l->allocated * 2, (size_t)16);

    if (l->count + more <= l->allocated)
        return 0;
    n = MAX(n, l->count + more);
    CommitCall *grown = reallocarray(l->calls, n, sizeof(CommitCall));
    if (!grown)
        return -ENOMEM;
    l->calls = grown;
    l->allocated = n;
    return 0;
}

int commit_calls_add(CommitCalls *l, CommitCall call) {
    int r = make_room(l, 1);

    if (r >= 0)
        l->calls[l->count++] = call;
    return r;
}

int commit_calls_move(CommitCalls *to, CommitCalls *from) {
    int r = make_room(to, from->count);

    if (r < 0)
        return r;
    for (size_t i = 0; i < from->count; i++)
        to->calls[to->count++] = from->calls[i];
    commit_calls_free(from);
    return 0;
}

void commit_calls_free(CommitCalls *l) {
    free(l->calls);
    *l = (CommitCalls){};
}

void commit_calls_refuse(CommitCalls *l, CommitCalls *kept, int error) {
    for (size_t i = 0; i < l->count; i++) {
        const CommitCall *c = &l->calls[i];
        if (!c->must)
            c->func(c->userdata, c->arg, error);
        else if (commit_calls_add(kept, *c) < 0)
            c->func(c->userdata, c->arg, 0);
    }
    commit_calls_free(l);
}
