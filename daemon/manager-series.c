#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/text.h"
#include "daemon/core/series.h"
#include "daemon/core/task-options.h"
#include "daemon/manager-private.h"

/* Series: each run is a task of its own, a child of the series. Its row and that of the series,
 * which says that this run was made, are in the same commit; so are the end of a run and what the
 * series makes of it. A daemon that is killed neither repeats a run nor leaves one out. */

/* When there is no room for a run, or systemd cannot be asked. */
#define RUN_RETRY_USEC (10 * USEC_PER_SEC)
#define ASK_RETRY_USEC USEC_PER_MINUTE

typedef struct Series {
    Manager *manager; /* not owned */
    Task *task;       /* not owned */
    uint64_t id;
    CalendarQuestion *question; /* NULL: there is none open */
    uint64_t due_before;        /* what DueAt was, until the calendar has been asked anew */
    bool anew;                  /* its moment may have passed while nobody was looking */
    bool over;                  /* the calendar does not elapse any more */
    char *trouble;              /* what is in the way of the next run; NULL = nothing */
    sd_event_source *retry;     /* when systemd is asked again; NULL = it need not */
    UT_hash_handle hh;          /* by id */
} Series;

static Series *find(const Manager *m, const Task *t) {
    Series *s;

    HASH_FIND(hh, m->series, &t->id, sizeof(t->id), s);
    return s;
}

static bool may_run(const Series *s) {
    return s->task->state == TASK_WAITING && !s->task->cancel_requested && !s->manager->stopping;
}

static bool is_active(const Series *s) {
    return task_child_count(s->task) > 0;
}

static void set_trouble(Series *s, const char *text) {
    if (text && !s->trouble)
        log_full(LOG_WARNING, s->id, "%s", text);
    free(s->trouble);
    s->trouble = text ? strdup(text) : NULL;
}

static void set_due(Series *s, uint64_t due) {
    s->task->due_at = due;
    scheduler_due_changed(&s->manager->scheduler, s->task, clock_usec(CLOCK_REALTIME));
    commit_queue_put_later(s->manager->commits, s->task);
}

/* ---- runs ---- */

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
    set_trouble(s, text);
    set_due(s, clock_usec(CLOCK_REALTIME) + RUN_RETRY_USEC);
}

static void look(Series *s);

static void run(Series *s) {
    _cleanup_error_ Error error = {};
    Manager *m = s->manager;
    Task *t = s->task, *made;
    int r = make_run(m, t, &made, &error);

    if (r < 0) {
        put_off(s, r, &error);
        return;
    }
    series_run_made(t, made->created_at);
    set_trouble(s, NULL);
    s->anew = false;
    manager_add_task(m, made, t->group, false);
    commit_queue_put(m->commits, t);
    log_full(LOG_INFO, t->id, "run %u is task %" PRIu64, t->attempt, made->id);
    look(s);
}

/* ---- moments ---- */

static void end_series(Series *s) {
    Task *t = s->task;
    char message[128];

    snprintf(message, sizeof(message),
             "its calendar does not elapse any more; it has run %u time%s", t->attempt,
             t->attempt == 1 ? "" : "s");
    t->exit_code = 0;
    manager_finish_queued(s->manager, t, TASK_SUCCEEDED, message); /* frees s */
}

static void skip(Series *s, uint64_t moment, const char *why, uint64_t now) {
    char span[FORMAT_MAX];

    log_full(LOG_NOTICE, s->id, "a run that was due %s ago is left out: %s",
             format_span(span, now - MIN(moment, now)), why);
    series_skip(s->task, now);
    commit_queue_put_later(s->manager->commits, s->task);
}

static void take_answer(Series *s, uint64_t next) {
    uint64_t now = clock_usec(CLOCK_REALTIME);

    s->due_before = 0;
    s->over = next == USEC_INFINITY;
    if (s->over)
        return;
    s->task->due_at = next;
    if (s->anew && next <= now && is_active(s))
        skip(s, next, "the last one was still active", now);
    else if (s->anew && series_is_missed(s->task, now))
        skip(s, next,
             "longrund was off then, or the clock was another one, and it is not persistent", now);
    else
        set_due(s, next);
    s->anew = s->anew && next <= now;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
    Series *s = userdata;

    s->retry = sd_event_source_disable_unref(s->retry);
    look(s);
    return 0;
}

/* What was known before is better than nothing. */
static void ask_later(Series *s, const char *why) {
    if (s->due_before > 0) {
        log_full(LOG_WARNING, s->id, "%s; its next run stays as it was", why);
        s->anew = false;
        set_due(s, s->due_before);
        s->due_before = 0;
        return;
    }
    set_trouble(s, why);
    int r = sd_event_add_time_relative(s->manager->event, &s->retry, CLOCK_MONOTONIC,
                                       ASK_RETRY_USEC, 0, on_retry, s);
    if (r < 0)
        log_full(LOG_ERR, s->id, "Cannot set a timer: %s", strerror(-r));
}

static void on_answer(void *userdata, int r, uint64_t next, const char *why) {
    Series *s = userdata;

    s->question = NULL;
    if (r < 0) {
        ask_later(s, why);
        return;
    }
    set_trouble(s, NULL);
    take_answer(s, next);
    look(s);
}

static void ask(Series *s) {
    uint64_t base = series_base(s->task, clock_usec(CLOCK_REALTIME));
    int r = calendar_ask(&s->question, s->manager->calendar, s->task->spec->calendar, base,
                         on_answer, s);

    s->retry = sd_event_source_disable_unref(s->retry);
    if (r < 0)
        ask_later(s, strerror(-r));
}

/* What there is to do next. The scheduler tells when a moment that is known has come. May free s.
 */
static void look(Series *s) {
    Task *t = s->task;

    if (!may_run(s) || s->question || t->due_at > 0)
        return;
    if (s->over && !is_active(s))
        end_series(s);
    else if (s->over)
        return;
    else if (!isempty(t->spec->calendar))
        ask(s);
    else if (!is_active(s))
        run(s);
}

void manager_series_elapsed(Manager *m, Task *t) {
    Series *s = find(m, t);
    uint64_t now = clock_usec(CLOCK_REALTIME);

    /* One that is not on disk yet is looked at when it is. */
    if (!s || !may_run(s))
        return;
    if (is_active(s)) /* and systemd is asked when that has ended: not again and again until then */
        skip(s, now, "the last one is still active", now);
    else
        run(s);
}

void manager_series_run_ended(Manager *m, Task *t) {
    Series *s = find(m, t);

    if (!task_is_pending(t))
        return;
    series_run_ended(t, clock_usec(CLOCK_REALTIME), !s);
    commit_queue_put(m->commits, t);
    if (!s) /* it is being recovered, and not with the scheduler yet */
        return;
    if (t->due_at == 0) /* what is known by now may be over */
        s->question = calendar_question_free(s->question);
    scheduler_due_changed(&m->scheduler, t, clock_usec(CLOCK_REALTIME));
    look(s);
}

/* ---- the calendar is asked anew ---- */

static void ask_anew(Series *s) {
    if (!may_run(s) || isempty(s->task->spec->calendar))
        return;
    s->question = calendar_question_free(s->question);
    s->due_before = s->task->due_at ?: s->due_before;
    s->anew = true;
    s->over = false;
    s->task->due_at = 0;
    scheduler_due_changed(&s->manager->scheduler, s->task, clock_usec(CLOCK_REALTIME));
    look(s);
}

void manager_series_ask_anew(Manager *m) {
    Series *s, *next;

    HASH_ITER (hh, m->series, s, next)
        ask_anew(s);
}

/* ---- life ---- */

void manager_series_plan(Manager *m, Task *t) {
    uint64_t now = clock_usec(CLOCK_REALTIME);

    series_begin(t, now);
    if (!isempty(t->spec->calendar) &&
        !calendar_is_known(m->calendar, t->spec->calendar, series_base(t, now), &t->due_at))
        t->due_at = 0;
    if (t->due_at == USEC_INFINITY)
        t->due_at = 0;
}

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
        ask_anew(s);
    else
        look(s);
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
    Series *s = find(m, t);

    if (s)
        free_series(s);
}

void manager_done_series(Manager *m) {
    Series *s, *next;

    HASH_ITER (hh, m->series, s, next)
        free_series(s);
}

char *manager_series_reason(const Manager *m, const Task *t) {
    const Series *s = find(m, t);

    if (!s || is_active(s))
        return NULL;
    if (s->trouble)
        return strdup(s->trouble);
    return s->question ? strdup("systemd is being asked when its calendar elapses next") : NULL;
}
