#include "daemon/core/task-spec.h"

#include <errno.h>

#include "common/strv.h"
#include "common/terminal-size.h"
#include "daemon/core/task-options.h"

/* The life of a request: see task-spec-check.c for its rules. */

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
    s->when_online = strdup("");
    s->calendar = strdup("");
    s->stdin_file = strdup("");
    s->pty_size = strdup(TERMINAL_SIZE_DEFAULT);
    if (!s->kind || !s->label || !s->group || !s->unique || !s->params || !s->cwd ||
        !s->on_interrupt || !s->when_online || !s->calendar || !s->stdin_file || !s->pty_size)
        return NULL;
    s->umask = 0022;
    s->notify = true;
    s->stop_timeout_usec = defaults->stop_timeout_usec;
    s->log_max = defaults->log_max;
    s->result_max = defaults->result_max;
    s->retry_delay_usec = TASK_RETRY_DELAY_DEFAULT;
    return TAKE_PTR(s);
}

/* A label that was set later has memory of its own. */
static bool is_packed_in(const TaskSpec *s, const void *p) {
    return (const char *)p >= (const char *)s && (const char *)p < (const char *)s + s->packed;
}

static void free_options(TaskSpec *s) {
    for (const TaskOption *const *o = task_options_owned(); *o; o++) {
        void *field = task_option_field(*o, s);
        if (task_option_type(*o) == TASK_OPTION_STRINGS)
            strv_free(*(char ***)field);
        else
            free(*(void **)field);
    }
}

TaskSpec *task_spec_free(TaskSpec *s) {
    if (!s)
        return NULL;
    env_block_unref(s->env);
    if (s->packed == 0) {
        free(s->kind);
        free_options(s);
    } else if (!is_packed_in(s, s->label))
        free(s->label);
    free(s);
    return NULL;
}

void task_spec_set_label(TaskSpec *s, char *label) {
    if (s->packed == 0 || !is_packed_in(s, s->label))
        free(s->label);
    s->label = label;
}

/* ---- copies ---- */

TaskSpec *task_spec_copy(const TaskSpec *s, unsigned without) {
    _cleanup_(task_spec_freep) TaskSpec *copy = task_spec_new(s->kind, &(TaskDefaults){.cwd = ""});

    if (!copy)
        return NULL;
    for (const TaskOption *o = task_options(); o->name; o++) {
        if (o->flags & without)
            continue;
        if (task_option_copy(o, copy, s) < 0)
            return NULL;
        copy->given |= s->given & task_option_bit(o);
    }
    return TAKE_PTR(copy);
}

int task_spec_apply_defaults(TaskSpec *s, const TaskSpec *defaults) {
    for (const TaskOption *o = task_options(); defaults && o->name; o++) {
        uint64_t bit = task_option_bit(o);
        if (!(defaults->given & bit) || (s->given & bit) || !(o->flags & TASK_OPTION_DEFAULT) ||
            ((o->flags & TASK_OPTION_OWN_PROCESS) && !task_spec_has_process(s)))
            continue;
        int r = task_option_copy(o, s, defaults);
        if (r < 0)
            return r;
    }
    return 0;
}
