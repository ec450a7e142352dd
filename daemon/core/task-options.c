#include "daemon/core/task-options.h"

const TaskOption *task_options(void) {
    static const TaskOption options[] = {
        {"label", "s", offsetof(TaskSpec, label)},
        {"group", "s", offsetof(TaskSpec, group)},
        {"cwd", "s", offsetof(TaskSpec, cwd)},
        {"unique", "s", offsetof(TaskSpec, unique)},
        {"params", "s", offsetof(TaskSpec, params)},
        {"argv", "as", offsetof(TaskSpec, argv)},
        {"env", "as", offsetof(TaskSpec, env)},
        {"clear-env", "b", offsetof(TaskSpec, clear_env)},
        {"isolate", "b", offsetof(TaskSpec, isolate)},
        {"umask", "u", offsetof(TaskSpec, umask)},
        {"timeout", "t", offsetof(TaskSpec, timeout_usec)},
        {"idle-timeout", "t", offsetof(TaskSpec, idle_timeout_usec)},
        {"queue-timeout", "t", offsetof(TaskSpec, queue_timeout_usec)},
        {"stop-timeout", "t", offsetof(TaskSpec, stop_timeout_usec)},
        {"memory-max", "t", offsetof(TaskSpec, memory_max)},
        {"pids-max", "t", offsetof(TaskSpec, pids_max)},
        {"cpu-weight", "u", offsetof(TaskSpec, cpu_weight)},
        {"nice", "i", offsetof(TaskSpec, nice)},
        {"log-max", "t", offsetof(TaskSpec, log_max)},
        {"result-max", "t", offsetof(TaskSpec, result_max)},
        {"on-interrupt", "s", offsetof(TaskSpec, on_interrupt)},
        {},
    };

    return options;
}
