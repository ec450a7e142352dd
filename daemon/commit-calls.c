#include "daemon/commit-calls.h"

#include <errno.h>

#include "common/cleanup.h"

int commit_calls_add(CommitCalls *l, CommitCall call) {
    if (l->count == l->allocated) {
        size_t n = MAX(l->allocated * 2, (size_t)16);
        CommitCall *grown = realloc(l->calls, n * sizeof(CommitCall));
        if (!grown)
            return -ENOMEM;
        l->calls = grown;
        l->allocated = n;
    }
    l->calls[l->count++] = call;
    return 0;
}

void commit_calls_free(CommitCalls *l) {
    free(l->calls);
    *l = (CommitCalls){};
}

void commit_calls_run(CommitCalls *l) {
    for (size_t i = 0; i < l->count; i++)
        l->calls[i].func(l->calls[i].userdata, l->calls[i].arg, 0);
    commit_calls_free(l);
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
