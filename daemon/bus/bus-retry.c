#include "daemon/bus/bus-retry.h"

#include <errno.h>
#include <inttypes.h>

#include "common/cleanup.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-task.h"

/* ---- one ---- */

static int send_started(Bus *b, sd_bus_message *m, uint64_t id) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    char path[TASK_PATH_SIZE];
    int r = sd_bus_message_new_method_return(m, &reply);

    bus_task_path(path, id);
    if (r >= 0)
        r = sd_bus_message_append(reply, "to", id, path);
    return r < 0 ? r : bus_reply_when_started(b, m, TAKE_PTR(reply));
}

int bus_method_retry(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const Task *t = bus_task_of_call(b, m);
    uint64_t id;
    int r;

    if (!task_is_final(t))
        r = error_set(&error, ERROR_STILL_ACTIVE,
                      "Task %" PRIu64 " has not ended: wait for it, or cancel it first", t->id);
    else
        r = b->api->retry(b->api_userdata, t, &id, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : send_started(b, m, id);
}

/* ---- all that match ---- */

/* What most people mean by "what went wrong". Those that were skipped for it would not wait for
 * what they were to come after. */
#define WENT_WRONG (1u << TASK_FAILED | 1u << TASK_TIMED_OUT | 1u << TASK_INTERRUPTED)

static int check_retried(TaskFilter *f, Error *error) {
    if (f->states == 0)
        f->states = WENT_WRONG;
    return bus_filter_check_final(f, "RetryAll starts tasks again", error);
}

static int send_ids(Bus *b, sd_bus_message *m, const uint64_t *ids, size_t n) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_append_array(reply, 't', ids, n * sizeof(uint64_t));
    return r < 0 ? r : bus_reply_when_started(b, m, TAKE_PTR(reply));
}

static void on_retried(void *arg, int result, const uint64_t *ids, size_t n, const Error *error) {
    sd_bus_error e = SD_BUS_ERROR_NULL;
    BusLater *l = arg;
    int r = result == -EREMOTE ? bus_error_from(&e, result, error)
            : result < 0       ? bus_error_storage(&e, result,
                                                   "Nothing was started. Cannot read the "
                                                         "tasks from disk")
                               : send_ids(l->bus, l->call, ids, n);

    bus_later_end(l, r, &e);
}

static int begin_retry_all(BusLater *l, const TaskFilter *filter) {
    return l->bus->api->retry_all(l->bus->api_userdata, filter, on_retried, l);
}

int bus_method_retry_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return bus_later_filtered(userdata, m, check_retried, begin_retry_all,
                              "Cannot read the tasks from disk", ret_error);
}
