#pragma once

#include "client-cli/json.h"
#include "common/parse.h"

/* A task in words for people, from its properties under the keys of a listed task. */

/* When it starts, or the next run of a series does; 0: now, or it depends on more than the time. */
uint64_t task_due(const cJSON *task, uint64_t now_usec);
/* It is run again and again. */
bool task_is_series(const cJSON *task);

/* What it waits for: "until 18:00", or the words of the daemon; "" when it does not, or only for a
 * slot. Fresh string, made for a terminal. */
char *task_reason(const cJSON *task, uint64_t now_usec);

/* How long it has run, or ran: "2min 5s"; "-" before it has begun. */
const char *task_run_time(char buf[FORMAT_MAX], const cJSON *task, uint64_t now_usec);
/* Whole percent, rounded down; -1 = not known. */
int task_percent_done(const cJSON *task);
/* "42%"; where it counts without an end "1.2M"; or "-". */
const char *task_percent(char buf[FORMAT_MAX], const cJSON *task);

/* What it counts, up to now: "1.2G of 2.7G", "3 of 10", "1.2G done"; "" when it does not. */
#define COUNT_MAX (2 * FORMAT_MAX + 8)
const char *task_count(char buf[COUNT_MAX], const cJSON *task);
/* How fast it is: "12.3M/s", "1.5/s", "3.0/min"; "" when that is not known, or it stands still. */
const char *task_rate(char buf[FORMAT_MAX], const cJSON *task);
/* The time that is left: "45s", "2min 5s", "3h 20min"; "" when that is not known. */
const char *task_left(char buf[FORMAT_MAX], const cJSON *task, uint64_t now_usec);
