#include "daemon/bus/bus-list.h"

#include <errno.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-fields.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"

/* ---- ListTasks ---- */

/* Appends a page, which may end before the last of the tasks: then *next is the first that is left
 * out. */
static int append_page(const Bus *b, sd_bus_message *reply, Task *const *tasks, size_t n,
                       const BusField *const *fields, uint64_t *next) {
    size_t bytes = 0;
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (size_t i = 0; r >= 0 && i < n; i++) {
        if (bytes > BUS_PAGE_BYTES_MAX) {
            *next = tasks[i]->id;
            break;
        }
        bytes += bus_fields_size(tasks[i], fields);
        r = bus_fields_append(reply, b, tasks[i], fields);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int send_page(BusLater *l, Task *const *tasks, size_t n, uint64_t next) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(l->call, &reply);

    if (r >= 0)
        r = append_page(l->bus, reply, tasks, n, l->data, &next);
    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 't', &next);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void on_listed(void *arg, int error, Task *const *tasks, size_t n, uint64_t next) {
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = error < 0 ? bus_error_storage(&e, error, "Cannot read the tasks from disk")
                      : send_page(arg, tasks, n, next);

    bus_later_end(arg, r, &e);
}

int bus_method_list_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_(strv_freep) char **keys = NULL;
    _cleanup_free_ const BusField **fields = NULL;
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    TaskFilter filter;
    BusLater *l;
    int r = bus_filter_read(m, &filter, &keys, &error);

    if (r >= 0)
        r = bus_fields_pick(keys, &fields, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    r = bus_later_new(&l, b, m, fields, ret_error);
    if (r < 0)
        return r;
    TAKE_PTR(fields);
    r = b->api->list(b->api_userdata, &filter, on_listed, l);
    if (r >= 0)
        return 1;
    bus_later_free(l);
    return bus_error_storage(ret_error, r, "Cannot read the tasks from disk");
}

/* ---- CountTasks ---- */

static int send_counts(const BusLater *l, const uint32_t counts[_TASK_STATE_MAX]) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(l->call, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{su}");
    for (size_t i = 0; r >= 0 && i < _TASK_STATE_MAX; i++)
        if (counts[i] > 0)
            r = sd_bus_message_append(reply, "{su}", task_state_to_string((TaskState)i), counts[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void on_counted(void *arg, int error, const uint32_t counts[_TASK_STATE_MAX]) {
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = error < 0 ? bus_error_storage(&e, error, "Cannot count the tasks on disk")
                      : send_counts(arg, counts);

    bus_later_end(arg, r, &e);
}

static int begin_count(BusLater *l, const TaskFilter *filter) {
    return l->bus->api->count(l->bus->api_userdata, filter, on_counted, l);
}

int bus_method_count_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return bus_later_filtered(userdata, m, NULL, begin_count, "Cannot count the tasks on disk",
                              ret_error);
}

/* ---- Prune ---- */

static int check_pruned(TaskFilter *f, Error *error) {
    return bus_filter_check_final(f, "Prune removes tasks", error);
}

static void on_pruned(void *arg, int error, uint32_t removed) {
    sd_bus_error e = SD_BUS_ERROR_NULL;
    BusLater *l = arg;
    int r = error < 0 ? bus_error_storage(&e, error, "Not all of the tasks could be removed")
                      : sd_bus_reply_method_return(l->call, "u", removed);

    bus_later_end(l, r, &e);
}

static int begin_prune(BusLater *l, const TaskFilter *filter) {
    return l->bus->api->prune(l->bus->api_userdata, filter, on_pruned, l);
}

int bus_method_prune(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return bus_later_filtered(userdata, m, check_pruned, begin_prune,
                              "Cannot remove tasks from disk", ret_error);
}
