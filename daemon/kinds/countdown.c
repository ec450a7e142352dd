#include <errno.h>
#include <inttypes.h>

#include "common/clock.h"
#include "daemon/kinds/kinds.h"

#define STEPS_MAX UINT64_C(1000000)
#define STEP_MS_MAX UINT64_C(86400000) /* a day */

typedef struct Countdown {
    uint64_t steps;
    uint64_t step_ms;
    const char *message; /* for the parent, at each step; NULL = none. Of the params */
} Countdown;

static int countdown_parse(const cJSON *params, Countdown *ret, char **ret_error) {
    static const char *const names[] = {"steps", "step_ms", "message", NULL};
    Countdown p = {.steps = 10, .step_ms = 1000};
    int r;

    r = kind_check_names(params, names, ret_error);
    if (r < 0)
        return r;
    r = kind_param_u64(params, "steps", 1, STEPS_MAX, &p.steps, ret_error);
    if (r < 0)
        return r;
    r = kind_param_u64(params, "step_ms", 0, STEP_MS_MAX, &p.step_ms, ret_error);
    if (r < 0)
        return r;
    r = kind_param_message(params, "message", &p.message, ret_error);
    if (r < 0)
        return r;
    *ret = p;
    return 0;
}

static int countdown_check(const cJSON *params, char **ret_error) {
    Countdown p;

    return countdown_parse(params, &p, ret_error);
}

static int countdown_cancelled(TaskContext *c, uint64_t step) {
    task_context_log(c, "Task cancelled at step %" PRIu64, step);
    task_context_status(c, "Task cancelled");
    task_context_message(c, "Task was cancelled by user");
    return -ECANCELED;
}

/* The time of a step: what comes meanwhile is written down. */
static int countdown_wait(TaskContext *c, uint64_t usec) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + usec;

    for (uint64_t left = usec;;) {
        _cleanup_free_ char *text = NULL;
        int r = task_context_receive(c, left, &text);
        if (r < 0)
            return r == -ECANCELED ? r : 0;
        task_context_log(c, "Message received: %s", text);
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        left = deadline > now ? deadline - now : 0;
    }
}

static void countdown_send(TaskContext *c, const char *message) {
    int r = task_context_send(c, message);

    if (r < 0)
        task_context_log_error(c, "The message could not be sent: %s", strerror(-r));
}

static int countdown_run(TaskContext *c, const cJSON *params) {
    _cleanup_free_ char *error = NULL;
    Countdown p;
    int r;

    r = countdown_parse(params, &p, &error);
    if (r < 0)
        return kind_fail_params(c, r, error);

    task_context_log(c, "Task started...");
    task_context_status(c, "Initializing...");
    for (uint64_t step = 1; step <= p.steps; step++) {
        /* The one place where a cancel is seen, in the last step as in any other: behind the last
         * sleep all the work is done. */
        r = countdown_wait(c, p.step_ms * USEC_PER_MSEC);
        if (r < 0)
            return countdown_cancelled(c, step);
        task_context_progress(c, step, p.steps);
        task_context_status(c, "Processing step %" PRIu64 " of %" PRIu64, step, p.steps);
        task_context_log(c, "Completed step %" PRIu64, step);
        if (p.message)
            countdown_send(c, p.message);
    }
    task_context_status(c, "Task completed!");
    task_context_message(c, "All work completed successfully!");
    task_context_log(c, "Task finished successfully");
    return 0;
}

const Kind kind_countdown = {
    .name = "countdown",
    .description = "Counts steps that each take a while: shows progress, status, log, cancel and "
                   "messages",
    .takes_messages = true,
    .check = countdown_check,
    .run = countdown_run,
};
