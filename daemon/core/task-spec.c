#include "daemon/core/task-spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/parse.h"
#include "common/strv.h"
#include "common/text.h"

TaskSpec *task_spec_new(const char *kind, const TaskDefaults *defaults) {
    _cleanup_(task_spec_freep) TaskSpec *s = calloc(1, sizeof(TaskSpec));

    if (!s)
        return NULL;
    s->kind = strdup(kind);
    s->label = strdup("");
    s->group = strdup(TASK_GROUP_DEFAULT);
    s->unique = strdup("");
    s->params = strdup("");
    s->cwd = strdup(defaults->cwd);
    s->on_interrupt = strdup(TASK_ON_INTERRUPT_FAIL);
    if (!s->kind || !s->label || !s->group || !s->unique || !s->params || !s->cwd ||
        !s->on_interrupt)
        return NULL;
    s->umask = 0022;
    s->stop_timeout_usec = defaults->stop_timeout_usec;
    s->log_max = defaults->log_max;
    s->result_max = defaults->result_max;
    return TAKE_PTR(s);
}

TaskSpec *task_spec_free(TaskSpec *s) {
    if (!s)
        return NULL;
    free(s->kind);
    free(s->label);
    free(s->group);
    free(s->unique);
    free(s->params);
    strv_free(s->argv);
    free(s->cwd);
    free(s->on_interrupt);
    env_block_unref(s->env);
    free(s);
    return NULL;
}

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

/* A thread of the daemon shares its memory and its priority with all others. */
static int check_own_process(const TaskSpec *s, Error *error) {
    const char *option = s->memory_max > 0   ? "memory-max"
                         : s->pids_max > 0   ? "pids-max"
                         : s->cpu_weight > 0 ? "cpu-weight"
                         : s->nice != 0      ? "nice"
                                             : NULL;

    if (!option || s->isolate || streq(s->kind, TASK_KIND_COMMAND))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "%s is for tasks with a process of their own: give isolate as well", option);
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
    return check_own_process(s, error);
}

static int check_on_interrupt(const TaskSpec *s, Error *error) {
    if (streq(s->on_interrupt, TASK_ON_INTERRUPT_FAIL) || task_spec_restarts(s))
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "on-interrupt is \"" TASK_ON_INTERRUPT_FAIL
                     "\" or \"" TASK_ON_INTERRUPT_RESTART "\", not \"%.50s\"",
                     s->on_interrupt);
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
    free(s->label);
    s->label = label;
    return 0;
}

int task_spec_check(TaskSpec *s, Error *error) {
    int (*const checks[])(const TaskSpec *, Error *) = {
        check_argv,     check_env,    check_cwd,          check_numbers,
        check_timeouts, check_limits, check_on_interrupt,
    };
    int r;

    for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
        r = checks[i](s, error);
        if (r < 0)
            return r;
    }
    r = task_label_check(s->label, error);
    if (r < 0)
        return r;
    if (strlen(s->unique) > TASK_UNIQUE_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "unique has more than %" PRIu64 " bytes",
                         TASK_UNIQUE_MAX);
    if (strlen(s->params) > TASK_PARAMS_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "params has more than %" PRIu64 " KiB",
                         TASK_PARAMS_MAX / KIB);
    return fill_label(s);
}

size_t task_spec_size(const TaskSpec *s) {
    size_t size = sizeof(*s) + strlen(s->kind) + strlen(s->label) + strlen(s->group) +
                  strlen(s->unique) + strlen(s->params) + strlen(s->cwd) + strlen(s->on_interrupt);

    STRV_FOREACH (a, s->argv)
        size += strlen(*a) + sizeof(char *);
    return size;
}
