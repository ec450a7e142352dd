#pragma once

#include "daemon/core/task.h"

/* The moments of a series: a task that never runs itself, but makes one task after the other
 * (task_spec_is_series()). Pure; all of it is in the task and so on disk:
 *
 *   due_at    when the next run is to be made; 0: that is not known, or nothing is
 *   ready_at  from when on the calendar counts: its next moment is the first one after that
 *   attempt   runs that were made
 *
 * Times are CLOCK_REALTIME, microseconds. */

/* A moment that passed so long ago, while nobody was looking, is not missed yet. */
#define SERIES_GRACE_USEC USEC_PER_MINUTE

/* A new one. That of a calendar has to ask when it elapses. */
void series_begin(Task *t, uint64_t now);
/* The moment from which the calendar of a request, and then that of a series, counts. */
uint64_t series_first_base(const TaskSpec *s, uint64_t now);
uint64_t series_base(const Task *t, uint64_t now);

/* Its moment passed while the daemon was off, or was jumped over by the clock: it is not made up
 * for. The next one is looked for from now on. */
bool series_is_missed(const Task *t, uint64_t now);
void series_skip(Task *t, uint64_t now);

/* A run is made now. */
void series_run_made(Task *t, uint64_t now);
/* The run is over. A moment of the calendar that passed meanwhile is skipped, but for one that may
 * have passed while the daemon was off (recovering). */
void series_run_ended(Task *t, uint64_t now, bool recovering);

/* A pause keeps its length when the clock is set forward by so many microseconds, or back; a time
 * that somebody named stays. For waiting tasks that are no series, too. True: due_at is another
 * one. */
bool series_clock_jumped(Task *t, int64_t usec);
