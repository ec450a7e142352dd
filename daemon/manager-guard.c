#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/manager-private.h"

/* Limits on the time of tasks that have no shim to watch over them: on a thread, on the loop, or in
 * the queue. */

#define QUEUE_ACCURACY_USEC (100 * USEC_PER_MSEC)

static char *limit_text(const char *option, const char *what, uint64_t reached, uint64_t limit) {
    char a[FORMAT_MAX], b[FORMAT_MAX], *text;

    return asprintf(&text, "%s: %s %s, the limit is %s", option, what, format_span(a, reached),
                    format_span(b, limit)) < 0
               ? NULL
               : text;
}

/* ---- threads, and operations ---- */

static void stop_run(TaskRun *run, char *limit) {
    free(run->limit);
    run->limit = limit;
    log_full(LOG_NOTICE, run->task->id, "%s", strempty(limit));
    task_set_reason(run->task, strempty(limit));
    exec_job_cancel(run->job);
}

static int on_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
    TaskRun *run = userdata;
    uint64_t limit = run->task->spec->timeout_usec;

    stop_run(run, limit_text("timeout", "it has run for", limit, limit));
    return 0;
}

static int on_idle(sd_event_source *s, uint64_t usec, void *userdata) {
    TaskRun *run = userdata;
    uint64_t limit = run->task->spec->idle_timeout_usec, now = clock_usec(CLOCK_MONOTONIC);

    if (now - run->active_at >= limit) {
        stop_run(run, limit_text("idle-timeout", "no output and no progress for",
                                 now - run->active_at, limit));
        return 0;
    }
    int r = sd_event_source_set_time(s, run->active_at + limit);
    return r < 0 ? r : sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

static void arm(TaskRun *run, sd_event_source **source, uint64_t usec,
                sd_event_time_handler_t func) {
    int r = sd_event_add_time_relative(run->manager->event, source, CLOCK_MONOTONIC, usec, 1, func,
                                       run);
    if (r < 0)
        log_full(LOG_WARNING, run->task->id, "Cannot watch over its time, ignoring: %s",
                 strerror(-r));
}

void manager_guard_run(TaskRun *run, uint64_t elapsed_usec) {
    const TaskSpec *spec = run->task->spec;

    run->active_at = clock_usec(CLOCK_MONOTONIC);
    if (spec->timeout_usec > 0)
        arm(run, &run->timeout, spec->timeout_usec - MIN(elapsed_usec, spec->timeout_usec),
            on_timeout);
    if (spec->idle_timeout_usec > 0)
        arm(run, &run->idle, spec->idle_timeout_usec, on_idle);
}

void manager_guard_done(TaskRun *run) {
    run->timeout = sd_event_source_disable_unref(run->timeout);
    run->idle = sd_event_source_disable_unref(run->idle);
}

/* ---- the queue ---- */

static void arm_queue(Manager *m, uint64_t deadline) {
    if (deadline >= m->queue_due)
        return;
    m->queue_due = deadline;
    (void)sd_event_source_set_time(m->queue_timer, deadline);
    (void)sd_event_source_set_enabled(m->queue_timer, SD_EVENT_ONESHOT);
}

static void time_out(Manager *m, Task *t, uint64_t now) {
    uint64_t limit = t->spec->queue_timeout_usec;
    _cleanup_free_ char *text =
        limit_text("queue-timeout", "it has waited for", limit + now - t->queue_deadline, limit);

    t->queue_deadline = 0;
    manager_finish_queued(m, t, TASK_TIMED_OUT, strempty(text));
}

/* Gives how many are overdue, and as many of them as there is room for. */
static size_t find_overdue(const Manager *m, uint64_t now, Task **tasks, size_t room,
                           uint64_t *ret_due) {
    size_t n = 0;

    *ret_due = USEC_INFINITY;
    for (Task *t = scheduler_next_pending(&m->scheduler, NULL, NULL); t;
         t = scheduler_next_pending(&m->scheduler, NULL, t)) {
        if (t->queue_deadline == 0 || t->run) /* it has begun, and that is about to be told */
            continue;
        if (t->queue_deadline > now)
            *ret_due = MIN(*ret_due, t->queue_deadline);
        else if (n++ < room)
            tasks[n - 1] = t;
    }
    return n;
}

/* Not while the queue is walked: who ends may take others along, its children or those that wait
 * for it. */
static int time_out_overdue(Manager *m, uint64_t now, uint64_t *ret_due) {
    size_t n = find_overdue(m, now, NULL, 0, ret_due);
    _cleanup_free_ Task **tasks = n > 0 ? calloc(n, sizeof(Task *)) : NULL;

    if (n > 0 && !tasks)
        return -ENOMEM;
    n = find_overdue(m, now, tasks, n, ret_due);
    for (size_t i = 0; i < n; i++)
        if (task_is_pending(tasks[i]) && tasks[i]->queue_deadline > 0)
            time_out(m, tasks[i], now);
    return 0;
}

static int on_queue_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    Manager *m = userdata;
    uint64_t now = clock_usec(CLOCK_MONOTONIC), due;

    m->queue_due = USEC_INFINITY;
    manager_take_back_ahead(m);
    manager_schedule(m);
    if (time_out_overdue(m, now, &due) < 0)
        due = now;
    /* With thousands of them the queue is not walked for each. */
    if (due != USEC_INFINITY)
        arm_queue(m, MAX(due, now + QUEUE_ACCURACY_USEC));
    return 0;
}

/* A task that comes from the disk has waited for a part of it; one that was started before has kept
 * its limit. */
void manager_guard_queued(Manager *m, Task *t) {
    uint64_t limit = t->spec->queue_timeout_usec, now = clock_usec(CLOCK_REALTIME);
    uint64_t waited = now > t->ready_at ? now - t->ready_at : 0;

    if (limit == 0 || t->attempt > 0)
        return;
    t->queue_deadline = clock_usec(CLOCK_MONOTONIC) + limit - MIN(waited, limit);
    arm_queue(m, t->queue_deadline);
}

int manager_init_guards(Manager *m) {
    int r = sd_event_add_time(m->event, &m->queue_timer, CLOCK_MONOTONIC, 0, 1, on_queue_timer, m);

    m->queue_due = USEC_INFINITY;
    return r < 0 ? r : sd_event_source_set_enabled(m->queue_timer, SD_EVENT_OFF);
}
