#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/parse.h"
#include "common/strv.h"
#include "common/terminal-size.h"
#include "common/text.h"
#include "daemon/core/task-options.h"
#include "daemon/core/task-spec-rules.h"

/* The rules for what is to be run. Those for when it may run are in task-spec-plan.c. */

/* ---- what and where ---- */

static int check_strings(char *const *v, const char *option, size_t max, Error *error) {
    size_t total = 0;

    for (size_t i = 0; v && v[i]; i++) {
        size_t size = strlen(v[i]) + 1;
        if (size > TASK_STRING_MAX)
            return error_set(error, ERROR_INVALID_OPTION,
                             "%s[%zu] has %zu bytes; the system takes at most %" PRIu64
                             " in one string. Put the data into a file and pass its name",
                             option, i, size - 1, TASK_STRING_MAX - 1);
        total += size;
        if (total > max)
            return error_set(error, ERROR_INVALID_OPTION,
                             "%s has more than %" PRIu64 " KiB altogether. Put the data into a "
                             "file and pass its name",
                             option, (uint64_t)max / KIB);
    }
    return 0;
}

static int check_argv(const TaskSpec *s, Error *error) {
    if (!streq(s->kind, TASK_KIND_COMMAND)) {
        if (strv_length(s->argv) > 0)
            return error_set(error, ERROR_INVALID_OPTION,
                             "argv is for tasks of kind \"command\"; kind \"%s\" takes params",
                             s->kind);
        return 0;
    }
    if (!isempty(s->params))
        return error_set(error, ERROR_INVALID_OPTION,
                         "params is for built-in kinds; a command takes argv");
    if (s->isolate)
        return error_set(error, ERROR_INVALID_OPTION,
                         "isolate is for built-in kinds; a command has a process of its own");
    if (strv_length(s->argv) == 0 || isempty(s->argv[0]))
        return error_set(error, ERROR_INVALID_OPTION,
                         "argv is empty: name the program to run as its first string");
    return check_strings(s->argv, "argv", TASK_ARGV_MAX, error);
}

static int check_env(const TaskSpec *s, Error *error) {
    char *const *env = env_block_strings(s->env);

    for (size_t i = 0; env[i]; i++) {
        const char *equals = strchr(env[i], '=');
        if (!equals || equals == env[i])
            return error_set(error, ERROR_INVALID_OPTION,
                             "env[%zu] is not VARIABLE=VALUE: \"%.100s\"", i, env[i]);
        if (strncmp(env[i], "LONGRUN_", strlen("LONGRUN_")) == 0)
            return error_set(error, ERROR_INVALID_OPTION,
                             "env[%zu]: variables LONGRUN_* are set by longrund itself: %.100s", i,
                             env[i]);
    }
    return check_strings(env, "env", TASK_ENV_MAX, error);
}

static int check_cwd(const TaskSpec *s, Error *error) {
    if (s->cwd[0] != '/')
        return error_set(error, ERROR_INVALID_OPTION,
                         "cwd \"%.200s\" is not absolute: give a path that begins with /", s->cwd);
    if (strlen(s->cwd) >= TASK_PATH_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "cwd has more than %" PRIu64 " bytes",
                         TASK_PATH_MAX - 1);
    return 0;
}

/* ---- limits ---- */

static int check_numbers(const TaskSpec *s, Error *error) {
    char buf[FORMAT_MAX];

    if (s->umask > 0777)
        return error_set(error, ERROR_INVALID_OPTION, "umask %" PRIo32 " is above 0777", s->umask);
    if (s->stop_timeout_usec > TASK_STOP_TIMEOUT_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION,
                         "stop-timeout is above %s; it is given in microseconds",
                         format_span(buf, TASK_STOP_TIMEOUT_LIMIT));
    if (s->result_max > TASK_RESULT_MAX_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION,
                         "result-max is above %s: write larger data to a file of your own and "
                         "make its name the result",
                         format_size(buf, TASK_RESULT_MAX_LIMIT));
    if (s->log_max > TASK_LOG_MAX_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION, "log-max is above 1024T");
    return 0;
}

static int check_timeouts(const TaskSpec *s, Error *error) {
    const struct {
        const char *name;
        uint64_t usec;
    } timeouts[] = {
        {"timeout", s->timeout_usec},
        {"idle-timeout", s->idle_timeout_usec},
        {"queue-timeout", s->queue_timeout_usec},
    };

    for (size_t i = 0; i < ELEMENTSOF(timeouts); i++)
        if (timeouts[i].usec > TASK_TIMEOUT_LIMIT)
            return error_set(error, ERROR_INVALID_OPTION,
                             "%s is above ten years; it is given in microseconds, 0 for none",
                             timeouts[i].name);
    return 0;
}

static int check_limits(const TaskSpec *s, Error *error) {
    if (s->memory_max > 0 &&
        (s->memory_max < TASK_MEMORY_MAX_MIN || s->memory_max > TASK_SIZE_LIMIT))
        return error_set(error, ERROR_INVALID_OPTION,
                         "memory-max is from 1M to 1024T; it is given in bytes, 0 for none");
    if (s->pids_max > TASK_PIDS_MAX_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION, "pids-max is at most %" PRIu64,
                         TASK_PIDS_MAX_LIMIT);
    if (s->cpu_weight > TASK_CPU_WEIGHT_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION,
                         "cpu-weight is from 1 to %d; 100 is that of other tasks, 0 for none",
                         TASK_CPU_WEIGHT_LIMIT);
    if (s->nice < -20 || s->nice > 19)
        return error_set(error, ERROR_INVALID_OPTION, "nice is from -20 to 19");
    return 0;
}

static int check_pty_size(const TaskSpec *s, Error *error) {
    TerminalSize size;

    if (terminal_size_parse(s->pty_size, &size) >= 0)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "pty-size is COLUMNSxROWS, each from 1 to 65535, as in \"80x24\"; not "
                     "\"%.50s\"",
                     s->pty_size);
}

const char *task_spec_process_option(const TaskSpec *s) {
    return s->memory_max > 0   ? "memory-max"
           : s->pids_max > 0   ? "pids-max"
           : s->cpu_weight > 0 ? "cpu-weight"
           : s->nice != 0      ? "nice"
           : s->stdin_open     ? "stdin-open"
           : s->pty            ? "pty"
                               : NULL;
}

/* A thread of the daemon shares its memory, its priority and its input with all others. */
static int check_own_process(const TaskSpec *s, Error *error) {
    const char *option = task_spec_process_option(s);

    if (!option || task_spec_has_process(s))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "%s is for tasks with a process of their own: give isolate as well", option);
}

/* A kind has its params there, when it is in a process of its own. */
static int check_stdin(const TaskSpec *s, Error *error) {
    bool has_file = !isempty(s->stdin_file);
    const char *option = s->stdin_data ? "stdin" : "stdin-file";

    if (!s->stdin_data && !has_file)
        return 0;
    if (!streq(s->kind, TASK_KIND_COMMAND))
        return error_set(error, ERROR_INVALID_OPTION,
                         "%s is for commands: a task of kind \"%s\" takes params", option, s->kind);
    if (s->stdin_data && has_file)
        return error_set(error, ERROR_INVALID_OPTION,
                         "stdin and stdin-file do not go together: a command has one stdin");
    if (bytes_length(s->stdin_data) > TASK_STDIN_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "stdin has more than %" PRIu64 " KiB: put it into a file and name that in "
                         "stdin-file, or give stdin-open and use WriteStdin",
                         TASK_STDIN_MAX / KIB);
    if (has_file && s->stdin_open)
        return error_set(error, ERROR_INVALID_OPTION,
                         "stdin-file and stdin-open do not go together: nothing can follow a file. "
                         "Write what is in it with WriteStdin");
    if (has_file && s->stdin_file[0] != '/')
        return error_set(error, ERROR_INVALID_OPTION,
                         "stdin-file \"%.200s\" is not absolute: give a path that begins with /",
                         s->stdin_file);
    if (strlen(s->stdin_file) >= TASK_PATH_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "stdin-file has more than %" PRIu64 " bytes",
                         TASK_PATH_MAX - 1);
    return 0;
}

static int check_on_interrupt(const TaskSpec *s, Error *error) {
    if (streq(s->on_interrupt, TASK_ON_INTERRUPT_FAIL) || task_spec_restarts(s))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "on-interrupt is \"" TASK_ON_INTERRUPT_FAIL
                     "\" or \"" TASK_ON_INTERRUPT_RESTART "\", not \"%.50s\"",
                     s->on_interrupt);
}

/* ---- texts ---- */

/* The command line as people read it; not for a shell to read back. */
static char *label_from_argv(char *const *argv) {
    size_t size = 0, n = 0;

    for (char *const *a = argv; *a; a++)
        size += strlen(*a) + 1;
    size = MIN(size, (size_t)1 * KIB);
    _cleanup_free_ char *joined = malloc(size + 1);
    if (!joined)
        return NULL;
    for (char *const *a = argv; *a && n < size; a++)
        n += (size_t)snprintf(joined + n, size + 1 - n, n > 0 ? " %s" : "%s", *a);
    for (char *p = joined; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return text_clean(joined, MIN(n, size), 200);
}

int task_label_check(const char *label, Error *error) {
    if (strlen(label) > TASK_LABEL_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "label has more than %" PRIu64 " bytes",
                         TASK_LABEL_MAX);
    for (const char *p = label; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return error_set(error, ERROR_INVALID_OPTION,
                             "label has a control character in it: it must be one plain line");
    return 0;
}

static int fill_label(TaskSpec *s) {
    char *label;

    if (!isempty(s->label))
        return 0;
    label = s->argv ? label_from_argv(s->argv) : strdup(s->kind);
    if (label && isempty(label)) { /* all of argv is invisible */
        free(label);
        label = strdup(s->kind);
    }
    if (!label)
        return -ENOMEM;
    task_spec_set_label(s, label);
    return 0;
}

static int check_texts(const TaskSpec *s, Error *error) {
    if (strlen(s->unique) > TASK_UNIQUE_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "unique has more than %" PRIu64 " bytes",
                         TASK_UNIQUE_MAX);
    if (strlen(s->params) > TASK_PARAMS_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "params has more than %" PRIu64 " KiB",
                         TASK_PARAMS_MAX / KIB);
    return task_label_check(s->label, error);
}

/* ---- all of it ---- */

typedef int (*Rule)(const TaskSpec *s, Error *error);

static int check_rules(const TaskSpec *s, const Rule *rules, size_t n, Error *error) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < n; i++)
        r = rules[i](s, error);
    return r;
}

int task_spec_check(TaskSpec *s, Error *error) {
    static const Rule rules[] = {
        check_argv,         check_env,    check_cwd,         check_numbers,
        check_timeouts,     check_limits, check_own_process, check_pty_size,
        check_on_interrupt, check_stdin,  check_texts,
    };
    int r = check_rules(s, rules, ELEMENTSOF(rules), error);

    if (r >= 0)
        r = task_spec_check_plan(s, error);
    return r < 0 ? r : fill_label(s);
}

/* ---- the defaults of a group ---- */

static int check_are_defaults(const TaskSpec *s, Error *error) {
    for (const TaskOption *o = task_options(); o->name; o++)
        if ((s->given & task_option_bit(o)) && !(o->flags & TASK_OPTION_DEFAULT))
            return error_set(error, ERROR_INVALID_OPTION,
                             "%s is of one task: a group can have no default of it", o->name);
    return 0;
}

int task_defaults_check(TaskSpec *defaults, Error *error) {
    static const Rule rules[] = {
        check_are_defaults, check_numbers,  check_timeouts,
        check_limits,       check_pty_size, check_on_interrupt,
    };
    int r = check_rules(defaults, rules, ELEMENTSOF(rules), error);

    return r < 0 ? r : task_spec_check_default_plan(defaults, error);
}
