#include "daemon/core/retry.h"

static bool has_code(const CodeList *l, int code) {
    for (size_t i = 0; i < l->n; i++)
        if (l->codes[i] == code)
            return true;
    return false;
}

static bool counts(TaskState state) {
    return state == TASK_FAILED || state == TASK_TIMED_OUT;
}

unsigned retry_count(const Task *t) {
    unsigned n = 0;

    for (unsigned i = 0; i < t->n_attempts; i++)
        n += counts(t->attempts[i].state);
    return n;
}

static bool is_worth_another(const TaskSpec *spec, TaskState state, int exit_code) {
    if (code_list_length(spec->retry_on) == 0)
        return counts(state);
    return state == TASK_FAILED && exit_code >= 0 && has_code(spec->retry_on, exit_code);
}

bool retry_is_due(const Task *t, TaskState state, int exit_code) {
    return t->spec->retries > 0 && is_worth_another(t->spec, state, exit_code) &&
           retry_count(t) < t->spec->retries;
}

uint64_t retry_delay(uint64_t delay_usec, unsigned failed, uint64_t random) {
    uint64_t delay = MIN(delay_usec, (uint64_t)TASK_RETRY_DELAY_LIMIT);
    uint64_t max = MAX(delay, (uint64_t)RETRY_DELAY_MAX);

    for (; failed > 0 && delay > 0 && delay < max; failed--)
        delay = MIN(delay * 2, max);
    return delay + random % (delay / 4 + 1);
}

bool retry_is_remembered(const Task *t, TaskState state) {
    return counts(state) || t->n_attempts - retry_count(t) < RETRY_INTERRUPTED_MAX;
}
