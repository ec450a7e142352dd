#include "daemon/commit.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/log.h"

typedef struct Entry {
    CommitFunc func;
    void *userdata, *arg;
} Entry;

struct CommitQueue {
    sd_event_source *source;
    Entry *entries;
    size_t count, allocated;
};

/* The state is kept in memory, so a change is as safe as it will get once it is made. */
static int on_commit(sd_event_source *s, void *userdata) {
    CommitQueue *q = userdata;
    _cleanup_free_ Entry *batch = q->entries;
    size_t n = q->count;

    /* What is added by those that are called waits for the next commit. */
    q->entries = NULL;
    q->count = q->allocated = 0;
    for (size_t i = 0; i < n; i++)
        batch[i].func(batch[i].userdata, batch[i].arg, 0);
    return 0;
}

int commit_queue_new(CommitQueue **ret, sd_event *event) {
    CommitQueue *q = calloc(1, sizeof(CommitQueue));
    int r;

    if (!q)
        return -ENOMEM;
    r = sd_event_add_defer(event, &q->source, on_commit, q);
    if (r >= 0)
        r = sd_event_source_set_enabled(q->source, SD_EVENT_OFF);
    if (r < 0) {
        commit_queue_free(q);
        return r;
    }
    (void)sd_event_source_set_description(q->source, "commit");
    *ret = q;
    return 0;
}

CommitQueue *commit_queue_free(CommitQueue *q) {
    if (!q)
        return NULL;
    sd_event_source_disable_unref(q->source);
    free(q->entries);
    free(q);
    return NULL;
}

int commit_queue_add(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    if (q->count == q->allocated) {
        size_t n = MAX(q->allocated * 2, (size_t)16);
        Entry *grown = realloc(q->entries, n * sizeof(Entry));
        if (!grown)
            return -ENOMEM;
        q->entries = grown;
        q->allocated = n;
    }
    int r = sd_event_source_set_enabled(q->source, SD_EVENT_ONESHOT);
    if (r < 0)
        return r;
    q->entries[q->count++] = (Entry){.func = func, .userdata = userdata, .arg = arg};
    return 0;
}

void commit_queue_call(CommitQueue *q, CommitFunc func, void *userdata, void *arg) {
    int r = commit_queue_add(q, func, userdata, arg);

    if (r < 0) {
        log_warning_errno(r, "Cannot wait for a commit, going on without");
        func(userdata, arg, 0);
    }
}

bool commit_queue_is_empty(const CommitQueue *q) {
    return q->count == 0;
}
