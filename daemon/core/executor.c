#include "daemon/core/executor.h"

static void no_start(void *userdata, pid_t pid) {
}

static void no_progress(void *userdata, const ProgressNews *news) {
}

static void no_text(void *userdata, const char *text) {
}

static void no_growth(void *userdata, uint64_t size) {
}

static void no_pause(void *userdata, bool paused) {
}

static void no_usage(void *userdata, const TaskUsage *usage) {
}

static void no_stdin(void *userdata, uint64_t size) {
}

static void no_end(void *userdata, const ExecOutcome *outcome) {
}

static const ExecEvents no_events = {
    .started = no_start,
    .progress = no_progress,
    .phase = no_text,
    .status = no_text,
    .log_grew = no_growth,
    .reason = no_text,
    .paused = no_pause,
    .usage = no_usage,
    .stdin_size = no_stdin,
    .message = no_text,
    .ended = no_end,
};

void exec_job_abandon(ExecJob *job) {
    job->events = &no_events;
    job->userdata = NULL;
}
