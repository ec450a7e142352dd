#include "client-cli/task-text.h"

#include <inttypes.h>
#include <stdio.h>

#include "client-cli/output.h"
#include "client-cli/when.h"
#include "common/task-state.h"

/* So begins the Reason of a task that needs more than the time to pass. */
#define WAITS_FOR "waits for "
/* So does that of a queued one for which a slot is not all: it may have to wait until somebody
 * changes a resource. */
#define WANTS "wants "

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_in(const cJSON *task, TaskState state) {
    return task_state_from_string(json_string(task, "state")) == state;
}

uint64_t task_due(const cJSON *task, uint64_t now_usec) {
    uint64_t due = json_u64(task, "due-at");

    if (!is_in(task, TASK_WAITING) || begins_with(json_string(task, "reason"), WAITS_FOR))
        return 0;
    return due > now_usec ? due : 0;
}

bool task_is_series(const cJSON *task) {
    return json_u64(task, "every") > 0 || json_string(task, "calendar")[0];
}

char *task_reason(const cJSON *task, uint64_t now_usec) {
    const char *reason = json_string(task, "reason");
    uint64_t due = task_due(task, now_usec);
    char when[WHEN_MAX], text[WHEN_MAX + 8];

    if (due > 0) {
        snprintf(text, sizeof(text), "until %s", format_when_short(when, due, now_usec));
        return text_display(text);
    }
    if (is_in(task, TASK_WAITING) || (is_in(task, TASK_QUEUED) && begins_with(reason, WANTS)))
        return text_display(reason);
    return text_display("");
}

const char *task_run_time(char buf[FORMAT_MAX], const cJSON *task, uint64_t now_usec) {
    uint64_t started = json_u64(task, "started-at"), finished = json_u64(task, "finished-at");
    uint64_t end = finished > 0 ? finished : now_usec;

    return started > 0 && end >= started ? format_span(buf, end - started) : "-";
}

static const char *format_amount(char buf[FORMAT_MAX], const cJSON *task, uint64_t amount) {
    if (streq(json_string(task, "unit"), "bytes"))
        return format_size(buf, amount);
    snprintf(buf, FORMAT_MAX, "%" PRIu64, amount);
    return buf;
}

/* 0.29 * 100 is a little less than 29. */
int task_percent_done(const cJSON *task) {
    double progress = json_double(task, "progress");

    return progress < 0 ? -1 : (int)(progress * 100 + 1e-6);
}

const char *task_percent(char buf[FORMAT_MAX], const cJSON *task) {
    int percent = task_percent_done(task);
    uint64_t done = json_u64(task, "done");

    if (percent < 0 && done > 0)
        return format_amount(buf, task, done);
    snprintf(buf, FORMAT_MAX, percent < 0 ? "-" : "%d%%", percent);
    return buf;
}

const char *task_count(char buf[COUNT_MAX], const cJSON *task) {
    uint64_t done = json_u64(task, "done"), total = json_u64(task, "total");
    char part[FORMAT_MAX], whole[FORMAT_MAX];

    buf[0] = '\0';
    format_amount(part, task, done);
    if (total > 0)
        snprintf(buf, COUNT_MAX, "%s of %s", part, format_amount(whole, task, total));
    else if (done > 0)
        snprintf(buf, COUNT_MAX, "%s done", part);
    return buf;
}

const char *task_rate(char buf[FORMAT_MAX], const cJSON *task) {
    double rate = json_double(task, "rate");
    char amount[FORMAT_MAX];

    buf[0] = '\0';
    if (!(rate > 0) || rate >= 1e18)
        return buf;
    if (rate >= 10 || streq(json_string(task, "unit"), "bytes"))
        snprintf(buf, FORMAT_MAX, "%.16s/s", format_amount(amount, task, (uint64_t)rate));
    else if (rate >= 1)
        snprintf(buf, FORMAT_MAX, "%.1f/s", rate);
    else if (rate * 60 >= 1)
        snprintf(buf, FORMAT_MAX, "%.1f/min", rate * 60);
    else
        snprintf(buf, FORMAT_MAX, "%.1f/h", rate * 3600);
    return buf;
}

const char *task_left(char buf[FORMAT_MAX], const cJSON *task, uint64_t now_usec) {
    uint64_t end = json_u64(task, "expected-end-time");
    uint64_t left = end > now_usec ? end - now_usec : 0;

    buf[0] = '\0';
    if (end == 0)
        return buf;
    /* No more than can be known. */
    if (left < USEC_PER_MINUTE)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "s", left / USEC_PER_SEC);
    else if (left >= 10 * USEC_PER_MINUTE && left < USEC_PER_HOUR)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "min", left / USEC_PER_MINUTE);
    else
        format_span(buf, left);
    return buf;
}
