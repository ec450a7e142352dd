#pragma once

#include "daemon/manager-private.h"

/* For the manager-series*.c files alone: the other files of the manager have what they may know of
 * series in manager-private.h. */

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

/* manager-series.c */
/* NULL: it is none, or not on disk yet, or it was not taken up yet. */
Series *manager_series_find(const Manager *m, const Task *t);
bool manager_series_may_run(const Series *s);
bool manager_series_is_active(const Series *s); /* a run of it has not ended */
/* What is in the way of the next run; NULL: nothing is. */
void manager_series_set_trouble(Series *s, const char *text);
void manager_series_set_due(Series *s, uint64_t due);
/* What there is to do next. The scheduler tells when a moment that is known has come. May free s.
 */
void manager_series_look(Series *s);

/* manager-series-run.c */
void manager_series_run(Series *s);
/* The run that was due then is left out. */
void manager_series_skip(Series *s, uint64_t moment, const char *why, uint64_t now);

/* manager-series-calendar.c */
void manager_series_ask(Series *s);
void manager_series_ask_one_anew(Series *s); /* the same for what may be known; may free s */
