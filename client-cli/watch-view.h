#pragma once

#include "client-cli/client.h"

/* What is shown of a task that is watched: a bar on a terminal, else lines, or JSON. */

typedef struct WatchView {
    bool as_json;
    char *last; /* line that was printed last */
} WatchView;

/* task: keys of a listed task. end: how it has ended; NULL while it has not. 0, or -EIO when stdout
 * takes no more. */
int watch_view_show(WatchView *v, const cJSON *task, const TaskEnd *end);
void watch_view_done(WatchView *v);
