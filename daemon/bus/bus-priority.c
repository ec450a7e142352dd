#include "daemon/bus/bus-priority.h"

#include <inttypes.h>

#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-task.h"

static int read_priority(sd_bus_message *m, int32_t *ret, Error *error) {
    int32_t priority;
    int r = sd_bus_message_read_basic(m, 'i', &priority);

    if (r < 0)
        return r;
    if (priority < -TASK_PRIORITY_LIMIT || priority > TASK_PRIORITY_LIMIT)
        return error_set(error, ERROR_INVALID_OPTION, "The priority is from %d to %d, not %d",
                         -TASK_PRIORITY_LIMIT, TASK_PRIORITY_LIMIT, priority);
    *ret = priority;
    return 0;
}

static int refuse(const Task *t, Error *error) {
    if (task_is_final(t))
        return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " has ended already: %s", t->id,
                         task_state_to_string(t->state));
    return error_set(error, ERROR_NOT_RUNNING,
                     "Task %" PRIu64 " has started already (%s): a priority says who is started "
                     "first, and does nothing for it any more. Its processes have their nice value",
                     t->id, task_state_to_string(task_shown_state(t)));
}

int bus_method_set_priority(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Task *t = bus_task_of_call(b, m);
    int32_t priority;
    int r = read_priority(m, &priority, &error);

    if (r >= 0 && !task_is_pending(t))
        r = refuse(t, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    b->api->set_priority(b->api_userdata, t, priority);
    return bus_reply_nothing(b, m);
}

int bus_method_set_priority_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const TaskTable *table = b->api->tasks(b->api_userdata);
    uint32_t changed = 0;
    TaskFilter filter;
    int32_t priority;
    int r = bus_filter_read(m, &filter, NULL, &error);

    if (r >= 0)
        r = read_priority(m, &priority, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    for (Task *t = task_table_begin(table, false); t; t = task_table_next(table, t, false))
        if (task_is_pending(t) && t->spec->priority != priority &&
            task_filter_matches(&filter, t)) {
            b->api->set_priority(b->api_userdata, t, priority);
            changed++;
        }
    return bus_reply_number(b, m, changed);
}
