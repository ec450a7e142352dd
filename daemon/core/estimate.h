#pragma once

#include "common/macro.h"

/* How fast a task gets on, and when it will have ended. Robust: one reading that is far off changes
 * little, and the last part counts more than the beginning. Pure: times are CLOCK_MONOTONIC,
 * microseconds, and are handed in; the time that a task is paused does not count. */

typedef struct Estimate Estimate; /* bounded memory, made with the first reading */

Estimate *estimate_free(Estimate *e); /* NULL-safe, gives NULL */

/* Takes a reading of progress: fraction 0 to 1 or negative (not known), and what is done (0 = it
 * does not count). Makes *e when it is NULL; without memory nothing is noted. */
void estimate_note(Estimate **e, uint64_t now_usec, double fraction, uint64_t done);

/* A new phase begins, or another attempt. */
void estimate_reset(Estimate *e);

/* The task stands still, or goes on. NULL-safe. */
void estimate_pause(Estimate *e, uint64_t now_usec, bool pause);

/* What is done a second; negative: not known. NULL-safe. */
double estimate_rate(const Estimate *e, uint64_t now_usec);

/* Microseconds to the end; USEC_INFINITY: not known. NULL-safe. */
uint64_t estimate_remaining_usec(const Estimate *e, uint64_t now_usec);
