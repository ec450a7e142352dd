#include <errno.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/bus/task-outbox.h"
#include "daemon/manager-private.h"

/* When a group is paused or goes on, its queued tasks are shown in another state. There may be
 * 100,000 of them: clients are told in slices, with turns of the loop between them, and none while
 * the bus has not taken the one before: answers to other calls would have to wait behind all of it.
 * The ids are noted once; what becomes of a task until it is its turn is told anyway. */

#define SLICE_TASKS 250
#define BUSY_USEC (2 * USEC_PER_MSEC) /* when to look again whether the bus has taken it */

typedef struct StateNews {
    Group *group;  /* not owned */
    uint64_t *ids; /* of the tasks that are to be told of, from `next` on */
    size_t n, next;
    bool stale; /* the ids are to be noted, again or for the first time */
    uint64_t
        not_before; /* CLOCK_MONOTONIC: at most nine times a second, as all signals of a task */
    TAILQ_ENTRY(StateNews) link;
} StateNews;

static void news_free(Manager *m, StateNews *n) {
    TAILQ_REMOVE(&m->state_news, n, link);
    free(n->ids);
    free(n);
}

static StateNews *news_of(const Manager *m, const Group *g) {
    StateNews *n;

    TAILQ_FOREACH (n, &m->state_news, link)
        if (n->group == g)
            return n;
    return NULL;
}

static void arm(Manager *m, uint64_t usec) {
    (void)sd_event_source_set_time(m->state_timer, usec);
    (void)sd_event_source_set_enabled(m->state_timer, SD_EVENT_ONESHOT);
}

/* ---- the walk ---- */

/* What is not on disk yet has not been told of at all. */
static bool is_shown_otherwise(const Task *t, const Group *g) {
    return t->group == g && t->state == TASK_QUEUED && t->stored;
}

static int note_ids(const Manager *m, StateNews *n) {
    const Scheduler *s = &m->scheduler;

    free(n->ids);
    n->n = n->next = 0;
    n->ids = malloc((n->group->queued + 1) * sizeof(uint64_t));
    if (!n->ids)
        return -ENOMEM;
    for (Task *t = scheduler_next_pending(s, n->group, NULL); t && n->n < n->group->queued;
         t = scheduler_next_pending(s, n->group, t))
        if (is_shown_otherwise(t, n->group))
            n->ids[n->n++] = t->id;
    return 0;
}

/* Gives how many tasks were looked at. */
static size_t tell_slice(Manager *m, StateNews *n, size_t most) {
    size_t end = MIN(n->n, n->next + most), begin = n->next;

    for (; n->next < end; n->next++) {
        Task *t = task_table_find(&m->tasks, n->ids[n->next]);
        if (t && is_shown_otherwise(t, n->group))
            bus_publisher_task_changed(m->bus->publisher, t, BUS_CHANGE_STATE);
    }
    return end - begin;
}

static void begin_walk(Manager *m, StateNews *n, uint64_t now) {
    n->stale = false;
    n->not_before = now + TASK_SIGNAL_INTERVAL_USEC;
    if (note_ids(m, n) < 0)
        log_warning_errno(-ENOMEM, "Cannot note the tasks of a group for signals, ignoring");
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    Manager *m = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC), due = USEC_INFINITY;
    bool is_busy = bus_publisher_is_busy(m->bus->publisher);
    size_t room = is_busy ? 0 : SLICE_TASKS;

    for (StateNews *n = TAILQ_FIRST(&m->state_news), *next; n; n = next) {
        next = TAILQ_NEXT(n, link);
        if (n->stale && now >= n->not_before)
            begin_walk(m, n, now);
        room -= tell_slice(m, n, room);
        if (n->next < n->n)
            due = MIN(due, is_busy ? now + BUSY_USEC : now);
        else if (n->stale || now < n->not_before)
            due = MIN(due, n->not_before);
        else {
            manager_trim_after(m, n->n);
            news_free(m, n);
        }
    }
    if (due != USEC_INFINITY)
        arm(m, due);
    return 0;
}

/* ---- the face ---- */

void manager_tell_states(Manager *m, Group *g) {
    StateNews *n = news_of(m, g);

    if (!n) {
        n = calloc(1, sizeof(StateNews));
        if (!n) {
            log_warning_errno(-ENOMEM, "Cannot tell of the tasks of a group, ignoring");
            return;
        }
        n->group = g;
        TAILQ_INSERT_TAIL(&m->state_news, n, link);
    }
    n->stale = true;
    arm(m, 0);
}

void manager_forget_states(Manager *m, const Group *g) {
    StateNews *n = news_of(m, g);

    if (n)
        news_free(m, n);
}

int manager_init_state_news(Manager *m) {
    int r = sd_event_add_time(m->event, &m->state_timer, CLOCK_MONOTONIC, 0, 1, on_timer, m);

    return r < 0 ? r : sd_event_source_set_enabled(m->state_timer, SD_EVENT_OFF);
}

void manager_done_state_news(Manager *m) {
    for (StateNews *n; (n = TAILQ_FIRST(&m->state_news));)
        news_free(m, n);
    sd_event_source_disable_unref(m->state_timer);
}
