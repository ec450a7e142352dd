#include "daemon/bus/bus-by-id.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "daemon/bus/absent-ids.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-reply.h"

/* ---- from ids to tasks ---- */

/* What is done when all tasks of the call are in memory. Gives what a method handler gives. */
typedef int (*TasksFunc)(Bus *b, sd_bus_message *m, Task **tasks, size_t n, sd_bus_error *error);

typedef struct IdCall {
    TasksFunc func;
    size_t n;
    uint64_t ids[];
} IdCall;

static Task *find(const Bus *b, uint64_t id) {
    return task_table_find(b->api->tasks(b->api_userdata), id);
}

/* The ids lie in the message. */
static int read_ids(sd_bus_message *m, const uint64_t **ret, size_t *ret_n) {
    size_t size;
    int r = sd_bus_message_read_array(m, 't', (const void **)ret, &size);

    if (r >= 0)
        *ret_n = size / sizeof(uint64_t);
    return r;
}

static int with_found(Bus *b, sd_bus_message *m, TasksFunc func, const uint64_t *ids, size_t n,
                      sd_bus_error *error) {
    _cleanup_free_ Task **tasks = calloc(n + 1, sizeof(Task *));

    if (!tasks)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        tasks[i] = find(b, ids[i]);
        if (!tasks[i])
            return bus_error_no_such_task(error, ids[i]);
    }
    return func(b, m, tasks, n, error);
}

static int find_absent(const Bus *b, const uint64_t *ids, size_t n, AbsentIds *ret,
                       sd_bus_error *error) {
    for (size_t i = 0; i < n; i++)
        if (ids[i] == 0)
            return bus_error_no_such_task(error, 0);
    int r = absent_ids_add(ret, b->api->tasks(b->api_userdata), ids, n);
    absent_ids_sort(ret);
    return r;
}

static void on_recalled(void *arg, int error) {
    BusLater *l = arg;
    const IdCall *c = l->data;
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = error < 0 ? bus_error_storage(&e, error, "Cannot read the tasks from disk")
                      : with_found(l->bus, l->call, c->func, c->ids, c->n, &e);

    bus_later_end(l, r, &e);
}

static int recall(Bus *b, sd_bus_message *m, TasksFunc func, const uint64_t *ids, size_t n,
                  const AbsentIds *absent, sd_bus_error *error) {
    _cleanup_free_ IdCall *c = malloc(sizeof(IdCall) + n * sizeof(uint64_t));
    BusLater *l;
    int r;

    if (!c)
        return -ENOMEM;
    *c = (IdCall){.func = func, .n = n};
    memcpy(c->ids, ids, n * sizeof(uint64_t));
    r = bus_later_new(&l, b, m, c, error);
    if (r < 0)
        return r;
    TAKE_PTR(c);
    r = b->api->recall(b->api_userdata, absent->ids, absent->n, on_recalled, l);
    if (r < 0) {
        bus_later_free(l);
        return bus_error_storage(error, r, "Cannot read the tasks from disk");
    }
    return 1;
}

/* At once when all tasks are in memory, else when those that are not have been brought there. */
static int with_tasks(Bus *b, sd_bus_message *m, const uint64_t *ids, size_t n, TasksFunc func,
                      sd_bus_error *error) {
    _cleanup_absent_ids_ AbsentIds absent = {};
    int r = find_absent(b, ids, n, &absent, error);

    if (r < 0)
        return r;
    if (absent.n == 0)
        return with_found(b, m, func, ids, n, error);
    if (absent.n > BUS_BY_ID_RECALL_MAX)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "%zu of these tasks ended long ago and would have to be read from "
                                 "disk, and %d is the limit of one call: make several, or use "
                                 "Prune to remove many",
                                 absent.n, BUS_BY_ID_RECALL_MAX);
    return recall(b, m, func, ids, n, &absent, error);
}

static int with_array(Bus *b, sd_bus_message *m, TasksFunc func, sd_bus_error *error) {
    const uint64_t *ids;
    size_t n;
    int r = read_ids(m, &ids, &n);

    return r < 0 ? r : with_tasks(b, m, ids, n, func, error);
}

/* ---- methods ---- */

static int cancel(Bus *b, sd_bus_message *m, Task **tasks, size_t n, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    bool active = false;
    uint32_t accepted = 0;

    for (size_t i = 0; i < n; i++)
        if (!task_is_final(tasks[i])) {
            accepted += !tasks[i]->cancel_requested;
            active = true;
            b->api->cancel(b->api_userdata, tasks[i]);
        }
    if (!active && n > 0) {
        int r = error_set(&error, ERROR_NOT_RUNNING,
                          n == 1 ? "Task %" PRIu64 " has ended already: %s"
                                 : "All of these tasks have ended already; task %" PRIu64 ": %s",
                          tasks[0]->id, task_state_to_string(tasks[0]->state));
        return bus_error_from(ret_error, r, &error);
    }
    return bus_reply_number(b, m, accepted);
}

int bus_method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return with_array(userdata, m, cancel, ret_error);
}

static int get_task(Bus *b, sd_bus_message *m, Task **tasks, size_t n, sd_bus_error *error) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, tasks[0]->id);
    return sd_bus_reply_method_return(m, "o", path);
}

int bus_method_get_task(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    uint64_t id;
    int r = sd_bus_message_read_basic(m, 't', &id);

    return r < 0 ? r : with_tasks(userdata, m, &id, 1, get_task, ret_error);
}

static int wait_for(Bus *b, sd_bus_message *m, Task **tasks, size_t n, sd_bus_error *error) {
    return bus_waits_add(b->waits, m, tasks, n, false, error);
}

int bus_method_wait(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return with_array(userdata, m, wait_for, ret_error);
}

static int remove_all(Bus *b, sd_bus_message *m, Task **tasks, size_t n, sd_bus_error *ret_error) {
    _cleanup_free_ uint64_t *ids = calloc(n + 1, sizeof(uint64_t));
    _cleanup_error_ Error error = {};
    uint32_t removed = 0;

    if (!ids)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!task_is_final(tasks[i])) {
            int r = error_set(&error, ERROR_STILL_ACTIVE,
                              "Task %" PRIu64 " has not ended: cancel it first, then remove it",
                              tasks[i]->id);
            return bus_error_from(ret_error, r, &error);
        }
        ids[i] = tasks[i]->id;
    }
    /* By id again: one that was named twice is gone the second time. */
    for (size_t i = 0; i < n; i++) {
        Task *t = find(b, ids[i]);
        if (t) {
            b->api->remove(b->api_userdata, t);
            removed++;
        }
    }
    return bus_reply_number(b, m, removed);
}

int bus_method_remove_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return with_array(userdata, m, remove_all, ret_error);
}
