#pragma once

#include "daemon/core/task.h"

/* Whether an attempt that is over is to be followed by another one, and after which pause. Pure:
 * what is random is handed in. */

/* The pause is doubled up to this, unless the first one was longer already. */
#define RETRY_DELAY_MAX (1 * USEC_PER_HOUR)

/* Attempts that a task remembers, besides those that used up one of its retries: what is lost and
 * started again each time has no other end. */
#define RETRY_INTERRUPTED_MAX 1000

/* Attempts of the task, all over, that count: those that failed or timed out. */
unsigned retry_count(const Task *t);

/* Whether the attempt that is just over, and is not among t->attempts yet, is to be followed by
 * another: it failed or timed out, and there are retries left. With retry-on, it must have failed
 * with one of these exit codes: what was stopped at a limit, was ended by a signal or could not be
 * started has none. */
bool retry_is_due(const Task *t, TaskState state, int exit_code);

/* Microseconds from the end of an attempt to the next: retry-delay, doubled for each of `failed`
 * that failed before this one, and up to a quarter more, so that what failed together does not come
 * back together. random: any number. */
uint64_t retry_delay(uint64_t delay_usec, unsigned failed, uint64_t random);

/* Whether an attempt that is over is to be remembered. */
bool retry_is_remembered(const Task *t, TaskState state);
