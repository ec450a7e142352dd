#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/core/series.h"
#include "daemon/core/task-options.h"
#include "daemon/manager-series-private.h"

/* The runs of a series: made when their moment has come, or left out. */

/* When there is no room for a run. */
#define RUN_RETRY_USEC (10 * USEC_PER_SEC)

/* "backup #12" */
static int number_label(TaskSpec *spec, unsigned number) {
    char *label;

    if (strlen(spec->label) + sizeof(" #4294967295") > TASK_LABEL_MAX)
        return 0;
    if (asprintf(&label, "%s #%u", spec->label, number) < 0)
        return -ENOMEM;
    task_spec_set_label(spec, label);
    return 0;
}

static int make_spec(const Task *t, TaskSpec **ret) {
    _cleanup_(task_spec_freep) TaskSpec *spec = task_spec_copy(t->spec, TASK_OPTION_FIRST);
    int r;

    if (!spec)
        return -ENOMEM;
    spec->unique[0] = '\0';
    spec->parent = t->id;
    r = number_label(spec, t->attempt + 1);
    if (r >= 0)
        r = task_spec_pack(&spec);
    if (r >= 0)
        *ret = TAKE_PTR(spec);
    return r;
}

static int make_run(Manager *m, Task *t, Task **ret, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    _cleanup_(task_freep) Task *run = NULL;
    int r = make_spec(t, &spec);

    if (r >= 0)
        r = scheduler_check_room(&m->scheduler, &spec, &t->group, 1, error);
    if (r < 0)
        return r;
    run = task_new(m->next_id, spec, clock_usec(CLOCK_REALTIME));
    if (!run)
        return -ENOMEM;
    TAKE_PTR(spec);
    r = task_ties_set_parent(run, t);
    if (r < 0)
        return r;
    m->next_id++;
    *ret = TAKE_PTR(run);
    return 0;
}

/* The moment is not lost: it is tried again, not sooner than after a while. */
static void put_off(Series *s, int r, const Error *error) {
    char text[512], span[FORMAT_MAX];

    snprintf(text, sizeof(text), "its run cannot be started yet, and is tried again every %s: %s",
             format_span(span, RUN_RETRY_USEC),
             r == -EREMOTE ? strempty(error->message) : strerror(-r));
    manager_series_set_trouble(s, text);
    manager_series_set_due(s, clock_usec(CLOCK_REALTIME) + RUN_RETRY_USEC);
}

void manager_series_run(Series *s) {
    _cleanup_error_ Error error = {};
    Manager *m = s->manager;
    Task *t = s->task, *made;
    int r = make_run(m, t, &made, &error);

    if (r < 0) {
        put_off(s, r, &error);
        return;
    }
    series_run_made(t, made->created_at);
    manager_series_set_trouble(s, NULL);
    s->anew = false;
    manager_add_task(m, made, t->group, false);
    commit_queue_put(m->commits, t);
    log_full(LOG_INFO, t->id, "run %u is task %" PRIu64, t->attempt, made->id);
    manager_series_look(s);
}

void manager_series_skip(Series *s, uint64_t moment, const char *why, uint64_t now) {
    char span[FORMAT_MAX];

    log_full(LOG_NOTICE, s->id, "a run that was due %s ago is left out: %s",
             format_span(span, now - MIN(moment, now)), why);
    series_skip(s->task, now);
    commit_queue_put_later(s->manager->commits, s->task);
}

void manager_series_elapsed(Manager *m, Task *t) {
    Series *s = manager_series_find(m, t);
    uint64_t now = clock_usec(CLOCK_REALTIME);

    /* One that is not on disk yet is looked at when it is. */
    if (!s || !manager_series_may_run(s))
        return;
    /* And systemd is asked when that has ended: not again and again until then */
    if (manager_series_is_active(s))
        manager_series_skip(s, now, "the last one is still active", now);
    else
        manager_series_run(s);
}

void manager_series_run_ended(Manager *m, Task *t) {
    Series *s = manager_series_find(m, t);

    if (!task_is_pending(t))
        return;
    series_run_ended(t, clock_usec(CLOCK_REALTIME), !s);
    commit_queue_put(m->commits, t);
    if (!s) /* it is being recovered, and not with the scheduler yet */
        return;
    if (t->due_at == 0) /* what is known by now may be over */
        s->question = calendar_question_free(s->question);
    scheduler_due_changed(&m->scheduler, t, clock_usec(CLOCK_REALTIME));
    manager_series_look(s);
}
