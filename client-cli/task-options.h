#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"
#include "client-cli/json.h"

/* The options of a task, and of those the defaults that a group has for its tasks. */

/* clang-format off */
/* What a group may have defaults of. */
#define DEFAULTS_OPTIONS                                                                           \
    OPTIONS_HEADING("Order"),                                                                      \
    {OPT_PRIORITY, 0, "priority", "N", "higher goes first in its group (0)"},                      \
    {OPT_RESOURCE, 'r', "resource", "NAME[=N]", "claim tokens; may be given several times"},       \
    OPTIONS_HEADING("Retries"),                                                                    \
    {OPT_RETRIES, 0, "retries", "N", "attempts after the first one that failed (0)"},              \
    {OPT_RETRY_DELAY, 0, "retry-delay", "TIME", "before the second one; doubled each time"},       \
    {OPT_RETRY_ON, 0, "retry-on", "CODE,…", "only after these exit codes"},                        \
    OPTIONS_HEADING("Limits"),                                                                     \
    {OPT_TIMEOUT, 0, "timeout", "TIME", "end it when it has run so long"},                         \
    {OPT_IDLE_TIMEOUT, 0, "idle-timeout", "TIME", "end it after so long without output or progress"}, \
    {OPT_QUEUE_TIMEOUT, 0, "queue-timeout", "TIME", "give it up when it was ready so long"},       \
    {OPT_STOP_TIMEOUT, 0, "stop-timeout", "TIME", "from the cancel to SIGKILL (10s)"},             \
    {OPT_MEMORY_MAX, 0, "memory-max", "SIZE", "memory of all its processes together"},             \
    {OPT_PIDS_MAX, 0, "pids-max", "N", "processes and threads at a time"},                         \
    {OPT_CPU_WEIGHT, 0, "cpu-weight", "N", "its share of the CPU, 1 to 10000 (100)"},              \
    {OPT_NICE, 0, "nice", "N", "its niceness, -20 to 19 (0)"},                                     \
    {OPT_LOG_MAX, 0, "log-max", "SIZE", "bytes kept of its output, head and tail (1G)"},           \
    {OPT_RESULT_MAX, 0, "result-max", "SIZE", "bytes its result may have (1M)"},                   \
    {OPT_ON_INTERRUPT, 0, "on-interrupt", "WHAT", "when it is lost: fail, or restart it (fail; a download: restart)"}, \
    {OPT_NOTIFY, 0, "notify", "yes|no", "whether longrun-gtk tells of its end (yes)"}

/* The same, of commands alone. */
#define TERMINAL_OPTIONS                                                                           \
    {OPT_PTY, 0, "pty", NULL, "a terminal of its own, for programs that ask for one"},             \
    {OPT_PTY_SIZE, 0, "pty-size", "COLSxROWS", "the same, of this size (yours, else 80x24)"}

/* What every task has, but for the time of OPT_AT: whose it is, ... */
#define NAMED_OPTIONS                                                                              \
    {OPT_LABEL, 'l', "label", "TEXT", "what people call it"},                                      \
    {OPT_GROUP, 'g', "group", "NAME", "the group that it belongs to (default)"},                   \
    {OPT_UNIQUE, 0, "unique", "KEY", "start nothing while a task with this key is active"},        \
    {OPT_PARENT, 0, "parent", "ID", "a child of that task, which ends after it"}

/* ... and how it is treated. */
#define PLANNED_OPTIONS                                                                            \
    OPTIONS_HEADING("When"),                                                                       \
    {OPT_AFTER, 0, "after", "ID,…", "when these have succeeded; else it is skipped"},              \
    {OPT_AFTER_ANY, 0, "after-any", "ID,…", "when these have ended, however that was"},            \
    {OPT_AFTER_FAILED, 0, "after-failed", "ID,…", "when these have failed; else it is skipped"},   \
    {OPT_WHEN_ONLINE, 0, "when-online", "NAME", "when this backend is online"},                    \
    {OPT_AT, 0, "at", "TIME", "at this time: 18:00, tomorrow, +2h, '2026-12-24 09:00'"},           \
    {OPT_EVERY, 0, "every", "TIME", "again and again, so long after the end of the last run"},     \
    {OPT_CALENDAR, 0, "calendar", "WHEN", "again and again, as in 'Mon..Fri 09:00'"},              \
    {OPT_PERSISTENT, 0, "persistent", NULL, "make up once for runs that were missed"},             \
    DEFAULTS_OPTIONS

/* The same, of tasks that may take messages. */
#define TASK_OPTIONS                                                                               \
    NAMED_OPTIONS,                                                                                 \
    {OPT_STDIN_OPEN, 0, "stdin-open", NULL, "it can be written to: longrun write, longrun send"},  \
    PLANNED_OPTIONS
/* clang-format on */

/* Appends to the open a{sv} of a call those of the options above that were given. 0; EXIT_USAGE,
 * EXIT_FAILURE or -errno after a message. */
int task_options_append(const Invocation *inv, sd_bus_message *call);

/* 0, or EXIT_USAGE after a message. */
int task_options_parse_priority(const Command *command, const char *word, int32_t *ret);

/* The value that a task or a group has under the daemon's name of an option, as it would be given:
 * "1h 30min", "512.0M", "gpu=1,net=2". Fresh string, "" when there is nothing to say of it: it is
 * missing, 0, empty or false. */
char *task_options_format(const char *key, const cJSON *value);

/* What the daemon calls an option that a group has a default of; NULL when it is none. */
const char *task_options_key(OptionId id);
