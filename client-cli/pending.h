#pragma once

#include "client-cli/json.h"

/* Why a task does not run yet, from its properties under the keys of a listed task. */

/* When it starts, or the next run of a series does; 0: now, or nobody knows. */
uint64_t pending_due(const cJSON *task, uint64_t now_usec);

/* "until 18:00", or the words of the daemon; "" for a task that does not wait. Fresh string, made
 * for a terminal. */
char *pending_reason(const cJSON *task, uint64_t now_usec);
