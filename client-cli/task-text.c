#include "client-cli/task-text.h"

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

const char *task_percent(char buf[FORMAT_MAX], const cJSON *task) {
    double progress = json_double(task, "progress");

    snprintf(buf, FORMAT_MAX, progress < 0 ? "-" : "%d%%", (int)(progress * 100));
    return buf;
}
