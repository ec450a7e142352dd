#include "daemon/core/task-options.h"

#define DEFAULT TASK_OPTION_DEFAULT
#define OWN_PROCESS (TASK_OPTION_DEFAULT | TASK_OPTION_OWN_PROCESS)
#define FIRST TASK_OPTION_FIRST

/* clang-format off */
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
        {"timeout", "t", offsetof(TaskSpec, timeout_usec), DEFAULT},
        {"idle-timeout", "t", offsetof(TaskSpec, idle_timeout_usec), DEFAULT},
        {"queue-timeout", "t", offsetof(TaskSpec, queue_timeout_usec), DEFAULT},
        {"stop-timeout", "t", offsetof(TaskSpec, stop_timeout_usec), DEFAULT},
        {"memory-max", "t", offsetof(TaskSpec, memory_max), OWN_PROCESS},
        {"pids-max", "t", offsetof(TaskSpec, pids_max), OWN_PROCESS},
        {"cpu-weight", "u", offsetof(TaskSpec, cpu_weight), OWN_PROCESS},
        {"nice", "i", offsetof(TaskSpec, nice), OWN_PROCESS},
        {"log-max", "t", offsetof(TaskSpec, log_max), DEFAULT},
        {"result-max", "t", offsetof(TaskSpec, result_max), DEFAULT},
        {"on-interrupt", "s", offsetof(TaskSpec, on_interrupt), DEFAULT},
        {"priority", "i", offsetof(TaskSpec, priority), DEFAULT},
        {"after", "at", offsetof(TaskSpec, after), FIRST},
        {"after-any", "at", offsetof(TaskSpec, after_any), FIRST},
        {"after-failed", "at", offsetof(TaskSpec, after_failed), FIRST},
        {"after-index", "at", offsetof(TaskSpec, after_index), TASK_OPTION_CALL},
        {"when-online", "s", offsetof(TaskSpec, when_online)},
        {"start-at", "t", offsetof(TaskSpec, start_at), FIRST},
        {"resources", "a{su}", offsetof(TaskSpec, resources), DEFAULT},
        {"parent", "t", offsetof(TaskSpec, parent)},
        {"retries", "u", offsetof(TaskSpec, retries), DEFAULT},
        {"retry-delay", "t", offsetof(TaskSpec, retry_delay_usec), DEFAULT},
        {"retry-on", "ai", offsetof(TaskSpec, retry_on), DEFAULT},
        {"every", "t", offsetof(TaskSpec, every_usec), FIRST},
        {"calendar", "s", offsetof(TaskSpec, calendar), FIRST},
        {"persistent", "b", offsetof(TaskSpec, persistent), FIRST},
        {"stdin-open", "b", offsetof(TaskSpec, stdin_open)},
        {},
    };

    return options;
}
/* clang-format on */
