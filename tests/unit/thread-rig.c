#include "tests/unit/thread-rig.h"

#include <inttypes.h>
#include <stdarg.h>

#include "common/strv.h"
#include "tests/unit/unit.h"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

static void note(RigJob *j, const char *format, ...) _printf_(2, 3);
static void note(RigJob *j, const char *format, ...) {
    char *event;
    va_list ap;

    va_start(ap, format);
    MUST(vasprintf(&event, format, ap) >= 0);
    va_end(ap);
    MUST(strv_push(&j->events, &j->n_events, event) == 0);
    if (j->hook)
        j->hook(j, event);
}

static void on_started(void *userdata, pid_t pid) {
    MUST(pid == 0);
    note(userdata, "started");
}

static void on_progress(void *userdata, const ProgressNews *n) {
    MUST(n->fraction == PROGRESS_UNKNOWN && n->trusted && n->source == PROGRESS_SOURCE_NOTIFY);
    note(userdata, "progress %" PRIu64 "/%" PRIu64 "%s", n->done, n->total,
         n->bytes ? " bytes" : "");
}

static void on_phase(void *userdata, const char *phase) {
    note(userdata, "phase %s", phase);
}

static void on_status(void *userdata, const char *text) {
    note(userdata, "status %s", text);
}

static void on_log_grew(void *userdata, uint64_t size) {
    note(userdata, "log %" PRIu64, size);
}

static void on_reason(void *userdata, const char *text) {
    note(userdata, "reason %s", text);
}

static void on_message(void *userdata, const char *text) {
    note(userdata, "message %s", text);
}

/* The job is freed from within, as the interface allows. */
static void on_ended(void *userdata, const ExecOutcome *outcome) {
    RigJob *j = userdata;

    MUST(j->job);
    MUST(outcome->exit_signal == 0);
    note(j, "ended %s %d %s", task_state_to_string(outcome->state), outcome->exit_code,
         outcome->message);
    j->log_dropped = outcome->log_dropped;
    j->log_error = outcome->log_error;
    j->cpu_usec = outcome->usage.cpu_usec;
    j->job = exec_job_free(j->job);
    j->rig->active--;
}

static const ExecEvents events = {
    .started = on_started,
    .progress = on_progress,
    .phase = on_phase,
    .status = on_status,
    .log_grew = on_log_grew,
    .reason = on_reason,
    .message = on_message,
    .ended = on_ended,
};

void thread_rig_setup(ThreadRig *rig) {
    *rig = (ThreadRig){};
    MUST(sd_event_new(&rig->event) >= 0);
    MUST(thread_executor_new(&rig->executor, rig->event) == 0);
}

void thread_rig_teardown(ThreadRig *rig) {
    rig->executor = thread_executor_free(rig->executor);
    rig->event = sd_event_unref(rig->event);
}

void thread_rig_start(ThreadRig *rig, RigJob *j, const Kind *kind, const ThreadJobSpec *options) {
    ThreadJobSpec spec = *options;

    j->rig = rig;
    spec.kind = kind;
    spec.log_dir = unit_dir;
    spec.runtime_dir = unit_dir;
    MUST(thread_job_start(rig->executor, &spec, &events, j, &j->job) == 0);
    rig->active++;
}

static int on_deadline(sd_event_source *s, uint64_t usec, void *userdata) {
    ck_abort_msg("the jobs have not ended in time");
    return 0;
}

void thread_rig_run(ThreadRig *rig) {
    sd_event_source *deadline = NULL;

    MUST(sd_event_add_time_relative(rig->event, &deadline, CLOCK_MONOTONIC, DEADLINE_USEC, 0,
                                    on_deadline, NULL) >= 0);
    while (rig->active > 0)
        MUST(sd_event_run(rig->event, UINT64_MAX) >= 0);
    sd_event_source_disable_unref(deadline);
}

void rig_job_expect(const RigJob *j, const char *const *wanted) {
    size_t i = 0;

    for (; wanted[i]; i++) {
        ck_assert_msg(i < j->n_events, "event %zu is missing: %s", i, wanted[i]);
        ck_assert_str_eq(j->events[i], wanted[i]);
    }
    ck_assert_msg(i == j->n_events, "one event too many: %s", j->events[i]);
}

const char *rig_job_last(const RigJob *j) {
    MUST(j->n_events > 0);
    return j->events[j->n_events - 1];
}

void rig_job_done(RigJob *j) {
    j->events = strv_free(j->events);
    j->n_events = 0;
}
