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
/* "42%", or "-". */
const char *task_percent(char buf[FORMAT_MAX], const cJSON *task);
