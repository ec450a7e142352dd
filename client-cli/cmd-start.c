#include <stdio.h>

#include "client-cli/commands.h"
#include "client-cli/params.h"
#include "client-cli/start-task.h"
#include "client-cli/task-options.h"
#include "common/cleanup.h"

/* longrun start, longrun run */

/* clang-format off */
const Option start_options[] = {
    WAY_OPTIONS,
    {OPT_CWD, 'C', "cwd", "DIR", "working directory (where you are)"},
    {OPT_ENV, 'e', "env", "NAME=VALUE", "set a variable; may be given several times"},
    {OPT_CLEAN_ENV, 0, "clean-env", NULL, "the daemon's environment instead of yours"},
    {OPT_UMASK, 0, "umask", "MASK", "file mode creation mask, octal (yours)"},
    {OPT_STDIN, 0, "stdin", "FILE", "its standard input; - is yours, up to its end"},
    TERMINAL_OPTIONS,
    TASK_OPTIONS,
    OPTIONS_END,
};

const Option run_options[] = {
    WAY_OPTIONS,
    {OPT_PARAM, 'p', "param", "NAME=VALUE", "a parameter: JSON, else a string; NAME[]= adds to an array"},
    {OPT_PARAMS, 0, "params", "JSON", "an object of parameters, to begin with"},
    {OPT_ISOLATE, 0, "isolate", NULL, "in a process of its own"},
    TASK_OPTIONS,
    OPTIONS_END,
};
/* clang-format on */

int cmd_start(const Invocation *inv) {
    return start_task(inv, &(StartRequest){});
}

int cmd_run(const Invocation *inv) {
    _cleanup_free_ char *params = NULL;
    int r;

    if (streq(inv->args[0], "command"))
        return usage_error(inv->command, "a command is started so: longrun start -- COMMAND…");
    r = params_build(inv, &params);
    return r != 0 ? r : start_task(inv, &(StartRequest){.kind = inv->args[0], .params = params});
}
