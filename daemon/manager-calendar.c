#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/core/series.h"
#include "daemon/manager-private.h"

/* Whether the calendars of new requests are ones, and elapse again: systemd is asked before
 * anything is started. What it says is known then for a while, so that the tasks have their times
 * at once. */

/* Different ones, in one call. */
#define CALENDARS_MAX 1000

typedef struct CheckedCalendar {
    struct CalendarCheck *check; /* not owned */
    CalendarQuestion *question;  /* NULL: answered */
    char *expression;
    size_t place; /* of the first request that has it */
} CheckedCalendar;

typedef struct CalendarCheck {
    Manager *manager; /* not owned */
    void (*func)(void *arg, const Error *error);
    void *arg;
    CheckedCalendar *calendars;
    size_t n, n_open, n_requests;
    LIST_ENTRY(CalendarCheck) link;
} CalendarCheck;

static void check_free(CalendarCheck *c) {
    LIST_REMOVE(c, link);
    for (size_t i = 0; i < c->n; i++) {
        calendar_question_free(c->calendars[i].question);
        free(c->calendars[i].expression);
    }
    free(c->calendars);
    free(c);
}

void manager_done_calendars(Manager *m) {
    while (!LIST_EMPTY(&m->calendar_checks))
        check_free(LIST_FIRST(&m->calendar_checks));
}

/* ---- answers ---- */

static int refuse(const CheckedCalendar *k, size_t n_requests, Error *error, int r,
                  const char *why) {
    if (r == 0)
        error_set(error, ERROR_INVALID_OPTION,
                  "calendar \"%s\" never elapses: all of its moments are over, or there never is "
                  "one. \"systemd-analyze calendar\" shows when one elapses",
                  k->expression);
    else
        error_set(error, ERROR_INVALID_OPTION, "calendar: %s", why);
    if (n_requests > 1)
        error_prefix(error, "tasks[%zu]: ", k->place);
    return -EREMOTE;
}

static void end_check(CalendarCheck *c, const Error *error) {
    void (*func)(void *arg, const Error *error) = c->func;
    void *arg = c->arg;

    check_free(c);
    func(arg, error);
}

static void on_checked(void *userdata, int r, uint64_t next, const char *why) {
    CheckedCalendar *k = userdata;
    CalendarCheck *c = k->check;

    k->question = NULL;
    if (r < 0 || next == USEC_INFINITY) {
        _cleanup_error_ Error error = {};
        refuse(k, c->n_requests, &error, r, why);
        end_check(c, &error);
    } else if (--c->n_open == 0)
        end_check(c, NULL);
}

/* ---- questions ---- */

static bool is_same(const TaskSpec *a, const TaskSpec *b) {
    return a->start_at == b->start_at && streq(a->calendar, b->calendar);
}

/* Mostly they are all the same. */
static bool is_named(const CalendarCheck *c, TaskSpec *const *specs, const TaskSpec *s) {
    for (size_t i = c->n; i > 0; i--)
        if (is_same(specs[c->calendars[i - 1].place], s))
            return true;
    return false;
}

static int add(CalendarCheck *c, const TaskSpec *spec, size_t place, Error *error) {
    CheckedCalendar *k;

    if (c->n == CALENDARS_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "more than %d different calendars are in this call: make several",
                         CALENDARS_MAX);
    k = &c->calendars[c->n];
    *k = (CheckedCalendar){.check = c, .expression = strdup(spec->calendar), .place = place};
    if (!k->expression)
        return -ENOMEM;
    c->n++;
    return 0;
}

static int collect(CalendarCheck *c, TaskSpec *const *specs, size_t n, uint64_t now, Error *error) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < n; i++) {
        const TaskSpec *s = specs[i];
        uint64_t next;
        if (isempty(s->calendar) || is_named(c, specs, s))
            continue;
        if (!calendar_is_known(c->manager->calendar, s->calendar, series_first_base(s, now),
                               &next) ||
            next == USEC_INFINITY)
            r = add(c, s, i, error);
    }
    return r;
}

static int ask_all(CalendarCheck *c, TaskSpec *const *specs, uint64_t now) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < c->n; i++) {
        CheckedCalendar *k = &c->calendars[i];
        r = calendar_ask(&k->question, c->manager->calendar, k->expression,
                         series_first_base(specs[k->place], now), on_checked, k);
        c->n_open++;
    }
    return r;
}

static bool has_calendar(TaskSpec *const *specs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isempty(specs[i]->calendar))
            return true;
    return false;
}

static CalendarCheck *new_check(Manager *m, size_t n) {
    CalendarCheck *c = calloc(1, sizeof(CalendarCheck));

    if (!c)
        return NULL;
    LIST_INSERT_HEAD(&m->calendar_checks, c, link);
    c->manager = m;
    c->n_requests = n;
    c->calendars = calloc(MIN(n, (size_t)CALENDARS_MAX), sizeof(CheckedCalendar));
    if (c->calendars)
        return c;
    check_free(c);
    return NULL;
}

int manager_check_calendars(void *userdata, TaskSpec *const *specs, size_t n,
                            void (*func)(void *arg, const Error *error), void *arg, Error *error) {
    uint64_t now = clock_usec(CLOCK_REALTIME);
    CalendarCheck *c;
    int r;

    if (!has_calendar(specs, n))
        return 0;
    c = new_check(userdata, n);
    if (!c)
        return -ENOMEM;
    c->func = func;
    c->arg = arg;
    r = collect(c, specs, n, now, error);
    if (r >= 0)
        r = ask_all(c, specs, now);
    if (r >= 0 && c->n > 0)
        return 1;
    check_free(c);
    return r;
}
