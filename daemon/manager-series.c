#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/manager-series-private.h"

/* Series: each run is a task of its own, a child of the series. Its row and that of the series,
 * which says that this run was made, are in the same commit; so are the end of a run and what the
 * series makes of it. A daemon that is killed neither repeats a run nor leaves one out. Here: which
 * series there are, and what each does next. */

Series *manager_series_find(const Manager *m, const Task *t) {
    Series *s;

    HASH_FIND(hh, m->series, &t->id, sizeof(t->id), s);
    return s;
}

bool manager_series_may_run(const Series *s) {
    return s->task->state == TASK_WAITING && !s->task->cancel_requested && !s->manager->stopping;
}

bool manager_series_is_active(const Series *s) {
    return task_child_count(s->task) > 0;
}

void manager_series_set_trouble(Series *s, const char *text) {
    if (text && !s->trouble)
        log_full(LOG_WARNING, s->id, "%s", text);
    free(s->trouble);
    s->trouble = text ? strdup(text) : NULL;
}

void manager_series_set_due(Series *s, uint64_t due) {
    s->task->due_at = due;
    scheduler_due_changed(&s->manager->scheduler, s->task, clock_usec(CLOCK_REALTIME));
    commit_queue_put_later(s->manager->commits, s->task);
}

static void end_series(Series *s) {
    Task *t = s->task;
    char message[128];

    snprintf(message, sizeof(message),
             "its calendar does not elapse any more; it has run %u time%s", t->attempt,
             t->attempt == 1 ? "" : "s");
    t->exit_code = 0;
    manager_finish_queued(s->manager, t, TASK_SUCCEEDED, message); /* frees s */
}

void manager_series_look(Series *s) {
    Task *t = s->task;

    if (!manager_series_may_run(s) || s->question || t->due_at > 0)
        return;
    if (s->over && !manager_series_is_active(s))
        end_series(s);
    else if (s->over)
        return;
    else if (!isempty(t->spec->calendar))
        manager_series_ask(s);
    else if (!manager_series_is_active(s))
        manager_series_run(s);
}

/* ---- life ---- */

static Series *new_series(Manager *m, Task *t) {
    Series *s = malloc(sizeof(Series));

    if (!s)
        return NULL;
    *s = (Series){.manager = m, .task = t, .id = t->id};
    HASH_ADD(hh, m->series, id, sizeof(s->id), s);
    return s;
}

static void begin(Manager *m, Task *t, bool recovered) {
    Series *s = new_series(m, t);

    if (!s)
        manager_finish_queued(m, t, TASK_FAILED, "cannot go on: out of memory");
    else if (recovered && !isempty(t->spec->calendar))
        manager_series_ask_one_anew(s);
    else
        manager_series_look(s);
}

void manager_series_begin(Manager *m, Task *t) {
    begin(m, t, false);
}

void manager_series_recover(Manager *m) {
    for (Task *t = task_table_begin(&m->tasks, false); t; t = task_table_next(&m->tasks, t, false))
        if (!task_is_final(t) && task_spec_is_series(t->spec))
            begin(m, t, true);
}

static void free_series(Series *s) {
    HASH_DEL(s->manager->series, s);
    calendar_question_free(s->question);
    sd_event_source_disable_unref(s->retry);
    free(s->trouble);
    free(s);
}

void manager_series_forget(Manager *m, const Task *t) {
    Series *s = manager_series_find(m, t);

    if (s)
        free_series(s);
}

void manager_done_series(Manager *m) {
    Series *s, *next;

    HASH_ITER (hh, m->series, s, next)
        free_series(s);
}

char *manager_series_reason(const Manager *m, const Task *t) {
    const Series *s = manager_series_find(m, t);

    if (!s || manager_series_is_active(s))
        return NULL;
    if (s->trouble)
        return strdup(s->trouble);
    return s->question ? strdup("systemd is being asked when its calendar elapses next") : NULL;
}
