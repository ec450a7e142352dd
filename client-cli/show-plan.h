#pragma once

#include "client-cli/json.h"

/* What "longrun show" says of when a task runs, how often, and with what others. From its
 * properties under the keys of a listed task. */

void show_plan(const cJSON *task);

/* The attempts before the last one; nothing when there were none. */
void show_attempts(const cJSON *task);
