#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-fields.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-start.h"

/* ---- many tasks by id ---- */

/* Reads ids and finds all of their tasks, or fails with NoSuchTask. */
static int read_tasks(Bus *b, sd_bus_message *m, Task ***ret, size_t *ret_n, sd_bus_error *error) {
    const uint64_t *ids;
    size_t size;
    int r = sd_bus_message_read_array(m, 't', (const void **)&ids, &size);

    if (r < 0)
        return r;
    size_t n = size / sizeof(uint64_t);
    _cleanup_free_ Task **tasks = calloc(n + 1, sizeof(Task *));
    if (!tasks)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        tasks[i] = task_table_find(b->api->tasks(b->api_userdata), ids[i]);
        if (!tasks[i])
            return bus_error_no_such_task(error, ids[i]);
    }
    *ret = TAKE_PTR(tasks);
    *ret_n = n;
    return 0;
}

static int reply_number(Bus *b, sd_bus_message *m, uint32_t number) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 'u', &number);
    return r < 0 ? r : bus_reply_when_committed(b, m, TAKE_PTR(reply));
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_free_ Task **tasks = NULL;
    _cleanup_error_ Error error = {};
    bool active = false;
    uint32_t accepted = 0;
    Bus *b = userdata;
    size_t n;
    int r = read_tasks(b, m, &tasks, &n, ret_error);

    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++)
        if (!task_is_final(tasks[i])) {
            accepted += !tasks[i]->cancel_requested;
            active = true;
            b->api->cancel(b->api_userdata, tasks[i]);
        }
    if (!active && n > 0) {
        r = error_set(&error, ERROR_NOT_RUNNING,
                      n == 1 ? "Task %" PRIu64 " has ended already: %s"
                             : "All of these tasks have ended already; task %" PRIu64 ": %s",
                      tasks[0]->id, task_state_to_string(tasks[0]->state));
        return bus_error_from(ret_error, r, &error);
    }
    return reply_number(b, m, accepted);
}

static int method_cancel_all(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const TaskTable *table = b->api->tasks(b->api_userdata);
    uint32_t accepted = 0;
    TaskFilter filter;
    int r = bus_filter_read(m, &filter, NULL, &error);

    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    /* From the newest on, so that no slot that gets free goes to a task that is cancelled next. */
    for (Task *t = task_table_begin(table, 0, true), *next; t; t = next) {
        next = task_table_next(table, t, true);
        if (!task_is_final(t) && task_filter_matches(&filter, t)) {
            accepted += !t->cancel_requested;
            b->api->cancel(b->api_userdata, t);
        }
    }
    return reply_number(b, m, accepted);
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_free_ Task **tasks = NULL;
    Bus *b = userdata;
    size_t n;
    int r = read_tasks(b, m, &tasks, &n, ret_error);

    return r < 0 ? r : bus_waits_add(b->waits, m, tasks, n, false, ret_error);
}

static int method_remove_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_free_ Task **tasks = NULL;
    _cleanup_error_ Error error = {};
    uint32_t removed = 0;
    Bus *b = userdata;
    size_t n;
    int r = read_tasks(b, m, &tasks, &n, ret_error);

    if (r < 0)
        return r;
    _cleanup_free_ uint64_t *ids = calloc(n + 1, sizeof(uint64_t));
    if (!ids)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!task_is_final(tasks[i])) {
            r = error_set(&error, ERROR_STILL_ACTIVE,
                          "Task %" PRIu64 " has not ended: cancel it first, then remove it",
                          tasks[i]->id);
            return bus_error_from(ret_error, r, &error);
        }
        ids[i] = tasks[i]->id;
    }
    /* By id again: one that was named twice is gone the second time. */
    for (size_t i = 0; i < n; i++) {
        Task *t = task_table_find(b->api->tasks(b->api_userdata), ids[i]);
        if (t) {
            b->api->remove(b->api_userdata, t);
            removed++;
        }
    }
    return reply_number(b, m, removed);
}

/* ---- looking ---- */

static int method_get_task(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    char path[TASK_PATH_SIZE];
    Bus *b = userdata;
    uint64_t id;
    int r = sd_bus_message_read_basic(m, 't', &id);

    if (r < 0)
        return r;
    if (!task_table_find(b->api->tasks(b->api_userdata), id))
        return bus_error_no_such_task(ret_error, id);
    bus_task_path(path, id);
    return sd_bus_reply_method_return(m, "o", path);
}

/* A message of D-Bus has at most 128 MiB, and who sends a larger one is thrown off the bus: a page
 * ends before that. */
#define PAGE_BYTES_MAX (32 * MIB)

/* Appends a page and gives the cursor of the next in *ret_next. */
static int append_page(Bus *b, sd_bus_message *reply, const TaskFilter *f,
                       const BusField *const *fields, uint64_t *ret_next) {
    const TaskTable *table = b->api->tasks(b->api_userdata);
    Task *t = task_table_begin(table, f->cursor, f->newest_first);
    size_t bytes = 0;
    uint32_t n = 0;
    int r = sd_bus_message_open_container(reply, 'a', "a{sv}");

    for (; r >= 0 && t; t = task_table_next(table, t, f->newest_first)) {
        if (!task_filter_matches(f, t))
            continue;
        if (n++ == f->limit || bytes > PAGE_BYTES_MAX)
            break;
        bytes += bus_fields_size(t, fields);
        r = bus_fields_append(reply, t, fields);
    }
    *ret_next = t ? t->id : 0;
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int method_list_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_(strv_freep) char **keys = NULL;
    _cleanup_free_ const BusField **fields = NULL;
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    TaskFilter filter;
    uint64_t next;
    int r = bus_filter_read(m, &filter, &keys, &error);

    if (r >= 0)
        r = bus_fields_pick(keys, &fields, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = append_page(b, reply, &filter, fields, &next);
    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 't', &next);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_count_tasks(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_error_ Error error = {};
    uint32_t counts[_TASK_STATE_MAX] = {};
    Bus *b = userdata;
    const TaskTable *table = b->api->tasks(b->api_userdata);
    TaskFilter filter;
    int r = bus_filter_read(m, &filter, NULL, &error);

    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    for (Task *t = task_table_begin(table, 0, false); t; t = task_table_next(table, t, false))
        counts[t->state] += task_filter_matches(&filter, t);

    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "{su}");
    for (size_t i = 0; r >= 0 && i < _TASK_STATE_MAX; i++)
        if (counts[i] > 0)
            r = sd_bus_message_append(reply, "{su}", task_state_to_string((TaskState)i), counts[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_list_kinds(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    Bus *b = userdata;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(ss)");
    for (const BusKind *k = b->api->kinds(b->api_userdata); r >= 0 && k->name; k++)
        r = sd_bus_message_append(reply, "(ss)", k->name, k->description);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static int method_reload(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    int r = b->api->reload(b->api_userdata, &error);

    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return sd_bus_reply_method_return(m, NULL);
}

/* ---- properties ---- */

static int property_get_kinds(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error) {
    Bus *b = userdata;
    int r = sd_bus_message_open_container(reply, 'a', "s");

    if (r >= 0)
        r = sd_bus_message_append_basic(reply, 's', TASK_KIND_COMMAND);
    for (const BusKind *k = b->api->kinds(b->api_userdata); r >= 0 && k->name; k++)
        r = sd_bus_message_append_basic(reply, 's', k->name);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int property_get_version(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error) {
    return sd_bus_message_append_basic(reply, 's', LONGRUN_VERSION);
}

static int property_get_number(sd_bus *bus, const char *path, const char *interface,
                               const char *property, sd_bus_message *reply, void *userdata,
                               sd_bus_error *error) {
    Bus *b = userdata;
    uint32_t number = streq(property, "Running")  ? b->api->running(b->api_userdata)
                      : streq(property, "Queued") ? b->api->queued(b->api_userdata)
                                                  : b->api->max_parallel(b->api_userdata);

    return sd_bus_message_append_basic(reply, 'u', &number);
}

static int property_set_max_parallel(sd_bus *bus, const char *path, const char *interface,
                                     const char *property, sd_bus_message *value, void *userdata,
                                     sd_bus_error *error) {
    Bus *b = userdata;
    uint32_t number;
    int r = sd_bus_message_read_basic(value, 'u', &number);

    if (r < 0)
        return r;
    b->api->set_max_parallel(b->api_userdata, number);
    bus_emit_max_parallel(bus);
    return 0;
}

/* clang-format off */
static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),

    SD_BUS_METHOD_WITH_ARGS("Start",
                            SD_BUS_ARGS("s", kind, "a{sv}", options),
                            SD_BUS_RESULT("t", id, "o", task),
                            bus_method_start, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("StartCommand",
                            SD_BUS_ARGS("as", argv, "a{sv}", options),
                            SD_BUS_RESULT("t", id, "o", task),
                            bus_method_start_command, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("StartMany",
                            SD_BUS_ARGS("a(sa{sv})", tasks),
                            SD_BUS_RESULT("a(to)", started),
                            bus_method_start_many, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Cancel",
                            SD_BUS_ARGS("at", ids),
                            SD_BUS_RESULT("u", accepted),
                            method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CancelAll",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("u", accepted),
                            method_cancel_all, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetTask",
                            SD_BUS_ARGS("t", id),
                            SD_BUS_RESULT("o", task),
                            method_get_task, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListTasks",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("aa{sv}", tasks, "t", next),
                            method_list_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CountTasks",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("a{su}", counts),
                            method_count_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Wait",
                            SD_BUS_ARGS("at", ids),
                            SD_BUS_RESULT("a(tsi)", ended),
                            method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveTasks",
                            SD_BUS_ARGS("at", ids),
                            SD_BUS_RESULT("u", removed),
                            method_remove_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListKinds",
                            SD_BUS_NO_ARGS,
                            SD_BUS_RESULT("a(ss)", kinds),
                            method_list_kinds, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Reload",
                            SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_reload, SD_BUS_VTABLE_UNPRIVILEGED),

    SD_BUS_PROPERTY("Version", "s", property_get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_PROPERTY("Kinds", "as", property_get_kinds, 0, SD_BUS_VTABLE_PROPERTY_CONST),
    SD_BUS_WRITABLE_PROPERTY("MaxParallel", "u", property_get_number, property_set_max_parallel, 0,
                             SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Running", "u", property_get_number, 0, 0),
    SD_BUS_PROPERTY("Queued", "u", property_get_number, 0, 0),

    SD_BUS_SIGNAL_WITH_ARGS("TasksAdded", SD_BUS_ARGS("a(to)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksChanged", SD_BUS_ARGS("a(tsds)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksFinished", SD_BUS_ARGS("a(tsi)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksRemoved", SD_BUS_ARGS("at", ids), 0),
    SD_BUS_SIGNAL_WITH_ARGS("GroupFinished",
                            SD_BUS_ARGS("s", group, "u", succeeded, "u", failed), 0),

    SD_BUS_VTABLE_END
};
/* clang-format on */

int bus_manager_export(Bus *b) {
    return sd_bus_add_object_vtable(b->bus, &b->slots[0], LONGRUN_ROOT_PATH,
                                    LONGRUN_MANAGER_INTERFACE, manager_vtable, b);
}
