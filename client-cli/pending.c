#include "client-cli/pending.h"

#include <stdio.h>

#include "client-cli/output.h"
#include "client-cli/when.h"
#include "common/task-state.h"

uint64_t pending_due(const cJSON *task, uint64_t now_usec) {
    uint64_t due = json_u64(task, "due-at");

    if (task_state_from_string(json_string(task, "state")) != TASK_WAITING)
        return 0;
    return due > now_usec ? due : 0;
}

char *pending_reason(const cJSON *task, uint64_t now_usec) {
    TaskState state = task_state_from_string(json_string(task, "state"));
    uint64_t due = pending_due(task, now_usec);
    char when[WHEN_MAX], text[WHEN_MAX + 8] = "";

    if (due > 0) {
        snprintf(text, sizeof(text), "until %s", format_when_short(when, due, now_usec));
        return text_display(text);
    }
    return text_display(state == TASK_WAITING || state == TASK_QUEUED ? json_string(task, "reason")
                                                                      : "");
}
