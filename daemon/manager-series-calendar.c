#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/core/series.h"
#include "daemon/manager-series-private.h"

/* The next moment of a series that has a calendar: what systemd answers, and what becomes of a
 * moment that has passed while nobody was looking. */

/* When systemd cannot be asked. */
#define ASK_RETRY_USEC USEC_PER_MINUTE

void manager_series_plan(Manager *m, Task *t) {
    uint64_t now = clock_usec(CLOCK_REALTIME);

    series_begin(t, now);
    if (!isempty(t->spec->calendar) &&
        !calendar_is_known(m->calendar, t->spec->calendar, series_base(t, now), &t->due_at))
        t->due_at = 0;
    if (t->due_at == USEC_INFINITY)
        t->due_at = 0;
}

static void take_answer(Series *s, uint64_t next) {
    uint64_t now = clock_usec(CLOCK_REALTIME);

    s->due_before = 0;
    s->over = next == USEC_INFINITY;
    if (s->over)
        return;
    s->task->due_at = next;
    if (s->anew && next <= now && manager_series_is_active(s))
        manager_series_skip(s, next, "the last one was still active", now);
    else if (s->anew && series_is_missed(s->task, now))
        manager_series_skip(
            s, next,
            "longrund was off then, or the clock was another one, and it is not persistent", now);
    else
        manager_series_set_due(s, next);
    s->anew = s->anew && next <= now;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
    Series *s = userdata;

    s->retry = sd_event_source_disable_unref(s->retry);
    manager_series_look(s);
    return 0;
}

/* What was known before is better than nothing. */
static void ask_later(Series *s, const char *why) {
    if (s->due_before > 0) {
        log_full(LOG_WARNING, s->id, "%s; its next run stays as it was", why);
        s->anew = false;
        manager_series_set_due(s, s->due_before);
        s->due_before = 0;
        return;
    }
    manager_series_set_trouble(s, why);
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
    manager_series_set_trouble(s, NULL);
    take_answer(s, next);
    manager_series_look(s);
}

void manager_series_ask(Series *s) {
    uint64_t base = series_base(s->task, clock_usec(CLOCK_REALTIME));
    int r = calendar_ask(&s->question, s->manager->calendar, s->task->spec->calendar, base,
                         on_answer, s);

    s->retry = sd_event_source_disable_unref(s->retry);
    if (r < 0)
        ask_later(s, strerror(-r));
}

void manager_series_ask_one_anew(Series *s) {
    if (!manager_series_may_run(s) || isempty(s->task->spec->calendar))
        return;
    s->question = calendar_question_free(s->question);
    s->due_before = s->task->due_at ?: s->due_before;
    s->anew = true;
    s->over = false;
    s->task->due_at = 0;
    scheduler_due_changed(&s->manager->scheduler, s->task, clock_usec(CLOCK_REALTIME));
    manager_series_look(s);
}

void manager_series_ask_anew(Manager *m) {
    Series *s, *next;

    HASH_ITER (hh, m->series, s, next)
        manager_series_ask_one_anew(s);
}
