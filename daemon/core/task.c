#include "daemon/core/task.h"

#include <errno.h>

#include "common/text.h"
#include "daemon/core/group.h"
#include "daemon/core/task-ties.h"

#define TO(state) (1u << TASK_##state)

#define ANY_END (TO(SUCCEEDED) | TO(FAILED) | TO(CANCELLED) | TO(TIMED_OUT) | TO(INTERRUPTED))

/* From each state, the states that may follow. Final is final. Back to the queue, or to wait for
 * its next attempt, goes what is to be started again. */
static const unsigned task_transitions[_TASK_STATE_MAX] = {
    [TASK_WAITING] = TO(QUEUED) | TO(CANCELLING) | TO(SKIPPED) | ANY_END,
    [TASK_QUEUED] =
        TO(WAITING) | TO(STARTING) | TO(CANCELLING) | TO(SKIPPED) | (ANY_END & ~TO(SUCCEEDED)),
    [TASK_STARTING] = TO(WAITING) | TO(QUEUED) | TO(RUNNING) | TO(CANCELLING) | ANY_END,
    [TASK_RUNNING] = TO(WAITING) | TO(QUEUED) | TO(PAUSED) | TO(CANCELLING) | ANY_END,
    [TASK_PAUSED] = TO(WAITING) | TO(QUEUED) | TO(RUNNING) | TO(CANCELLING) | ANY_END,
    [TASK_CANCELLING] = TO(SKIPPED) | ANY_END,
};

Task *task_new(uint64_t id, TaskSpec *spec, uint64_t now_usec) {
    Task *t = calloc(1, sizeof(Task));

    if (!t)
        return NULL;
    t->id = id;
    t->spec = spec;
    t->state = TASK_QUEUED;
    t->created_at = now_usec;
    t->exit_code = -1;
    t->end_state = _TASK_STATE_INVALID;
    return t;
}

static void work_free(TaskWork *w) {
    if (!w)
        return;
    progress_done(&w->progress);
    free(w->status);
    free(w->reason);
    free(w);
}

Task *task_free(Task *t) {
    if (!t)
        return NULL;
    task_ties_free(t->ties);
    for (unsigned i = 0; i < t->n_attempts; i++)
        free(t->attempts[i].message);
    free(t->attempts);
    task_spec_free(t->spec);
    work_free(t->work);
    free(t->message);
    free(t);
    return NULL;
}

/* What the attempt that was cut short has left behind. */
static void begin_again(Task *t) {
    work_free(TAKE_PTR(t->work));
    t->started_at = 0;
    t->pid = 0;
}

int task_set_state(Task *t, TaskState state, uint64_t now_usec) {
    if ((unsigned)state >= _TASK_STATE_MAX || !(task_transitions[t->state] & (1u << state)))
        return -EPERM;

    t->state_before = t->state;
    t->state = state;
    if (task_is_pending(t) && t->state_before != TASK_WAITING && t->state_before != TASK_QUEUED)
        begin_again(t);
    if (state == TASK_STARTING) {
        t->started_at = now_usec;
        t->attempt++;
    }
    if (task_state_is_final(state)) {
        uint64_t begun_at = MAX(t->started_at, t->created_at);
        /* The clock may have been set back meanwhile. */
        t->finished_at = MAX(now_usec, begun_at);
        t->pid = 0;
        t->end_untold = true;
        if (state != TASK_SKIPPED) /* that says which task is the cause */
            task_set_reason(t, "");
    }
    if (task_state_is_final(state) && t->work)
        progress_end(&t->work->progress, state == TASK_SUCCEEDED);
    return 0;
}

TaskState task_shown_state(const Task *t) {
    if (t->end_untold)
        return t->state_before;
    if (t->state == TASK_QUEUED && t->group && t->group->paused)
        return TASK_WAITING;
    return t->state;
}

const TaskWork *task_work(const Task *t) {
    static const TaskWork nothing = {.progress.fraction = PROGRESS_UNKNOWN},
                          all = {.progress.fraction = 1.0};

    return t->work ?: t->state == TASK_SUCCEEDED ? &all : &nothing;
}

TaskWork *task_work_make(Task *t) {
    if (t->work)
        return t->work;
    t->work = calloc(1, sizeof(TaskWork));
    if (t->work)
        progress_init(&t->work->progress);
    return t->work;
}

/* Not while it stands still, nor when its own work is over and it waits for its children. */
static bool gets_on(const Task *t) {
    return t->state != TASK_PAUSED && t->end_state == _TASK_STATE_INVALID;
}

double task_rate(const Task *t, uint64_t now_usec) {
    double rate = estimate_rate(task_work(t)->progress.estimate, now_usec);

    return rate < 0 || gets_on(t) ? rate : 0;
}

uint64_t task_remaining_usec(const Task *t, uint64_t now_usec) {
    if (!gets_on(t) || t->state == TASK_CANCELLING)
        return USEC_INFINITY;
    return estimate_remaining_usec(task_work(t)->progress.estimate, now_usec);
}

void task_set_usage(Task *t, const TaskUsage *usage) {
    bool is_none = usage->cpu_usec == 0 && usage->memory_peak == 0;
    TaskWork *w = t->work || is_none ? t->work : task_work_make(t);

    if (w)
        w->usage = *usage;
}

int task_add_attempt(Task *t, const TaskAttempt *attempt) {
    const char *text = strempty(attempt->message);
    _cleanup_free_ char *message = text_clean(text, strlen(text), TASK_ATTEMPT_MESSAGE_MAX);
    TaskAttempt *grown =
        message ? realloc(t->attempts, (t->n_attempts + 1) * sizeof(TaskAttempt)) : NULL;

    if (!grown)
        return -ENOMEM;
    t->attempts = grown;
    grown[t->n_attempts] = *attempt;
    grown[t->n_attempts++].message = TAKE_PTR(message);
    return 0;
}

static bool set_text(char **field, const char *text, size_t max) {
    _cleanup_free_ char *clean = text_clean(text, strlen(text), max);

    if (!clean || streq(strempty(*field), clean))
        return false;
    free(*field);
    *field = TAKE_PTR(clean);
    return true;
}

bool task_set_status(Task *t, const char *text) {
    TaskWork *w = t->work || isempty(text) ? t->work : task_work_make(t);

    return w && set_text(&w->status, text, TASK_STATUS_MAX);
}

bool task_set_message(Task *t, const char *text) {
    return set_text(&t->message, text, TASK_MESSAGE_MAX);
}

bool task_set_reason(Task *t, const char *text) {
    TaskWork *w = t->work || isempty(text) ? t->work : task_work_make(t);

    return w && set_text(&w->reason, text, TASK_MESSAGE_MAX);
}
