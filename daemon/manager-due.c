#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/core/series.h"
#include "daemon/manager-private.h"

/* Tasks whose time has come, and what becomes of their times when the clock is set. */

static uint64_t next_due(void *userdata) {
    const Manager *m = userdata;

    return m->stopping ? USEC_INFINITY : scheduler_next_due(&m->scheduler);
}

static void on_due(void *userdata) {
    Manager *m = userdata;

    scheduler_set_time(&m->scheduler, clock_usec(CLOCK_REALTIME));
}

/* A pause is as long as it was: that of a task that waits for another attempt, and that of a series
 * between two runs. */
static void keep_pauses(Manager *m, int64_t usec) {
    for (Task *t = task_table_begin(&m->tasks, false); t;
         t = task_table_next(&m->tasks, t, false)) {
        if (t->state != TASK_WAITING || !series_clock_jumped(t, usec))
            continue;
        if (t->place != TASK_PLACE_NONE)
            scheduler_due_changed(&m->scheduler, t, clock_usec(CLOCK_REALTIME));
        commit_queue_put(m->commits, t);
    }
}

/* A time that somebody has named (start-at, a calendar) holds on the clock as it is now. */
static void on_jumped(void *userdata, int64_t usec) {
    Manager *m = userdata;
    char span[FORMAT_MAX];

    log_notice("The clock was set %s by %s", usec < 0 ? "back" : "forward",
               format_span(span, (uint64_t)(usec < 0 ? -usec : usec)));
    keep_pauses(m, usec);
    manager_series_ask_anew(m);
}

static void on_zone_changed(void *userdata) {
    Manager *m = userdata;

    log_notice("The time zone is another one");
    calendar_forget(m->calendar);
    manager_series_ask_anew(m);
}

static const ClockEvents clock_events = {
    .next = next_due,
    .alarm = on_due,
    .jumped = on_jumped,
    .zone_changed = on_zone_changed,
};

int manager_init_due(Manager *m) {
    int r = calendar_new(&m->calendar, m->event);

    return r < 0 ? r
                 : clock_watch_new(&m->clock, m->event, CLOCK_WATCH_LOCALTIME, &clock_events, m);
}
