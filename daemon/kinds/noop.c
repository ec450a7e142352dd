#include "daemon/kinds/kinds.h"

static int noop_run(TaskContext *c, const cJSON *params) {
    (void)c;
    (void)params;
    return 0;
}

const Kind kind_noop = {
    .name = "noop",
    .description = "Nothing, done well: measures what a task costs",
    .check = kind_check_no_params,
    .run = noop_run,
};
