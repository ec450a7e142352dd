#include <errno.h>

#include "common/clock.h"
#include "daemon/manager-private.h"

/* Between the scheduler and the rest: tasks that go into it, and what it has to tell. */

void manager_enter(Manager *m, Task *t, Group *g) {
    if (scheduler_would_overtake(&m->scheduler, g, t->spec->priority))
        manager_take_back_ahead(m);
    scheduler_add(&m->scheduler, t, g, clock_usec(CLOCK_REALTIME));
    if (t->state == TASK_QUEUED)
        manager_guard_queued(m, t);
}

void manager_enter_again(Manager *m, Task *t) {
    /* It may be older than what was handed ahead. */
    manager_take_back_ahead(m);
    scheduler_add(&m->scheduler, t, t->group, clock_usec(CLOCK_REALTIME));
    if (t->state == TASK_QUEUED)
        manager_guard_queued(m, t);
}

char *manager_reason(void *userdata, const Task *t) {
    Manager *m = userdata;
    char *reason = NULL;

    if (t->end_untold)
        return strdup("");
    if (t->end_state != _TASK_STATE_INVALID)
        return manager_tree_reason(t);
    if (!task_is_pending(t) || t->run)
        return strdup(strempty(task_work(t)->reason));
    if (t->state == TASK_QUEUED && m->blocked)
        return strdup(m->blocked);
    /* Of the attempt that failed, and when the next one is. */
    if (t->place == TASK_PLACE_DUE && t->n_attempts > 0)
        return strdup(strempty(task_work(t)->reason));
    if (task_spec_is_series(t->spec))
        reason = manager_series_reason(m, t);
    return reason ?: scheduler_reason(&m->scheduler, t);
}

/* ---- what the scheduler tells ---- */

/* One that has never been on disk may be withdrawn yet, and is gone then; who is told that it was
 * added asks for its state. */
static void publish(Manager *m, Task *t) {
    if (t->stored)
        manager_publish_state(m, t);
    else
        commit_queue_put(m->commits, t);
}

static void on_ready(void *userdata, Task *t) {
    Manager *m = userdata;

    /* Its turn may be before that of those that were handed ahead. */
    m->overtaken = m->overtaken || scheduler_overtakes(&m->scheduler, t);
    manager_guard_queued(m, t);
    publish(m, t);
    manager_schedule(m);
}

static void on_doomed(void *userdata, Task *t, const Task *cause) {
    ManagerCause c = manager_cause_of(cause);

    manager_skip(userdata, t, &c);
}

static void on_unready(void *userdata, Task *t) {
    Manager *m = userdata;

    t->claim = TASK_CLAIM_NONE;
    publish(m, t);
}

static void on_elapsed(void *userdata, Task *t) {
    manager_series_elapsed(userdata, t);
}

static const SchedulerEvents scheduler_events = {
    .ready = on_ready,
    .doomed = on_doomed,
    .unready = on_unready,
    .elapsed = on_elapsed,
};

void manager_init_plan(Manager *m) {
    scheduler_init(&m->scheduler, 0, 0, &scheduler_events, m);
}
