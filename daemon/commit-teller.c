#include "daemon/commit-teller.h"

#include <errno.h>

#include "common/clock.h"
#include "common/log.h"

#define SLICE_CALLS 500
#define BUSY_USEC (2 * USEC_PER_MSEC) /* when to look again whether the bus has taken it */

struct CommitTeller {
    sd_event_source *timer;
    bool (*is_busy)(void *userdata);
    void *userdata;
    CommitCalls list; /* to be called from `next` on */
    size_t next;
};

bool commit_teller_is_empty(const CommitTeller *t) {
    return t->next == t->list.count;
}

/* What they add themselves waits for the next commit, and so is not in this list. One of them may
 * call all that are left. */
static void call_some(CommitTeller *t, size_t most) {
    for (; most > 0 && !commit_teller_is_empty(t); most--) {
        CommitCall c = t->list.calls[t->next++];
        c.func(c.userdata, c.arg, 0);
    }
    if (!commit_teller_is_empty(t))
        return;
    commit_calls_free(&t->list);
    t->next = 0;
}

/* False: that cannot be. */
static bool go_on_in(CommitTeller *t, uint64_t usec) {
    int r = sd_event_source_set_time_relative(t->timer, usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(t->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_warning_errno(r, "Cannot put off what is to be told, telling all of it");
    return r >= 0;
}

static bool must_wait(const CommitTeller *t) {
    return t->is_busy && t->is_busy(t->userdata);
}

static void call_slice(CommitTeller *t) {
    call_some(t, SLICE_CALLS);
    if (!commit_teller_is_empty(t) && !go_on_in(t, must_wait(t) ? BUSY_USEC : 0))
        call_some(t, SIZE_MAX);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    CommitTeller *t = userdata;

    if (!must_wait(t) || !go_on_in(t, BUSY_USEC))
        call_slice(t);
    return 0;
}

void commit_teller_flush(CommitTeller *t) {
    call_some(t, SIZE_MAX);
}

/* So that the list does not grow for ever when it never gets empty. */
static void drop_called(CommitTeller *t) {
    CommitCalls *l = &t->list;

    l->count -= t->next;
    memmove(l->calls, l->calls + t->next, l->count * sizeof(CommitCall));
    t->next = 0;
}

void commit_teller_tell(CommitTeller *t, CommitCalls *l) {
    if (!commit_teller_is_empty(t)) {
        drop_called(t);
        if (commit_calls_move(&t->list, l) >= 0)
            return;
        log_warning_errno(-ENOMEM, "Cannot put off what is to be told, telling all of it");
        call_some(t, SIZE_MAX);
    }
    t->list = *l;
    *l = (CommitCalls){};
    call_slice(t);
}

/* ---- its life ---- */

int commit_teller_new(CommitTeller **ret, sd_event *event, bool (*is_busy)(void *userdata),
                      void *userdata) {
    CommitTeller *t = calloc(1, sizeof(CommitTeller));
    int r;

    if (!t)
        return -ENOMEM;
    *t = (CommitTeller){.is_busy = is_busy, .userdata = userdata};
    r = sd_event_add_time(event, &t->timer, CLOCK_MONOTONIC, 0, 1, on_timer, t);
    if (r >= 0)
        r = sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
    if (r < 0) {
        commit_teller_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

CommitTeller *commit_teller_free(CommitTeller *t) {
    if (!t)
        return NULL;
    sd_event_source_disable_unref(t->timer);
    commit_calls_free(&t->list);
    free(t);
    return NULL;
}
