#pragma once

#include <cjson/cJSON.h>

#include "daemon/kinds/task-context.h"

/* The work of the kind download: see kinds/download-params.h for its params. For Kind.run. */
int download_run(TaskContext *c, const cJSON *params);
