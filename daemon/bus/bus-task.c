#include "daemon/bus/bus-task.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-fields.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-priority.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-retry.h"
#include "daemon/bus/bus-send.h"
#include "daemon/bus/bus-stdin.h"

#define READ_LOG_MAX (1 * MIB)

/* Objects that Introspect of the parent names: a list for people who look around, not the way to
 * all tasks. */
#define ENUMERATED_MAX 1000

static int id_of_path(const char *path, uint64_t *ret) {
    const char prefix[] = LONGRUN_TASK_PATH "/";

    if (strncmp(path, prefix, sizeof(prefix) - 1) != 0)
        return -EINVAL;
    path += sizeof(prefix) - 1;
    return path[0] == '0' && path[1] ? -EINVAL : parse_u64(path, ret);
}

static Task *task_of_path(const Bus *b, const char *path) {
    uint64_t id;

    return id_of_path(path, &id) < 0 ? NULL : task_table_find(b->api->tasks(b->api_userdata), id);
}

/* find_task() has said that there is one. */
Task *bus_task_of_call(const Bus *b, sd_bus_message *m) {
    return task_of_path(b, sd_bus_message_get_path(m));
}

/* ---- methods ---- */

static int not_running(const Task *t, Error *error) {
    return error_set(error, ERROR_NOT_RUNNING, "Task %" PRIu64 " has ended already: %s", t->id,
                     task_state_to_string(t->state));
}

static int method_cancel(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Task *t = bus_task_of_call(b, m);

    if (task_is_final(t))
        return bus_error_from(ret_error, not_running(t, &error), &error);
    b->api->cancel(b->api_userdata, t);
    return bus_reply_nothing(b, m);
}

static int set_paused(Bus *b, sd_bus_message *m, bool pause, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Task *t = bus_task_of_call(b, m);
    int r = task_is_final(t) ? not_running(t, &error)
                             : b->api->pause(b->api_userdata, t, pause, &error);

    return r < 0 ? bus_error_from(ret_error, r, &error) : bus_reply_nothing(b, m);
}

static int method_pause(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return set_paused(userdata, m, true, ret_error);
}

static int method_resume(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return set_paused(userdata, m, false, ret_error);
}

static int method_kill(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Task *t = bus_task_of_call(b, m);
    int32_t signal;
    int r = sd_bus_message_read_basic(m, 'i', &signal);

    if (r < 0)
        return r;
    if (task_is_final(t))
        r = not_running(t, &error);
    else if (signal < 1 || signal > SIGRTMAX)
        r = error_set(&error, ERROR_INVALID_OPTION,
                      "%d is not a signal: give a number from 1 to %d", signal, SIGRTMAX);
    else
        r = b->api->kill(b->api_userdata, t, signal, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : sd_bus_reply_method_return(m, NULL);
}

static int method_wait(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    Bus *b = userdata;
    Task *t = bus_task_of_call(b, m);

    return bus_waits_add(b->waits, m, &t, 1, true, ret_error);
}

static int method_open_log(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    _cleanup_close_ int fd = b->api->open_log(b->api_userdata, bus_task_of_call(b, m), &error);

    if (fd < 0)
        return bus_error_from(ret_error, fd, &error);
    return sd_bus_reply_method_return(m, "h", fd);
}

static int method_open_log_index(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    _cleanup_close_ int fd =
        b->api->open_log_index(b->api_userdata, bus_task_of_call(b, m), &error);

    if (fd < 0)
        return bus_error_from(ret_error, fd, &error);
    return sd_bus_reply_method_return(m, "h", fd);
}

static int method_read_log(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    _cleanup_free_ void *data = NULL;
    _cleanup_message_ sd_bus_message *reply = NULL;
    Bus *b = userdata;
    uint64_t offset, next;
    uint32_t max;
    int r = sd_bus_message_read(m, "tu", &offset, &max);

    if (r < 0)
        return r;
    max = MIN(max, (uint32_t)READ_LOG_MAX);
    data = malloc(max + 1);
    if (!data)
        return -ENOMEM;
    int n =
        b->api->read_log(b->api_userdata, bus_task_of_call(b, m), offset, data, max, &next, &error);
    if (n < 0)
        return bus_error_from(ret_error, n, &error);
    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = sd_bus_message_append_array(reply, 'y', data, (size_t)n);
    if (r >= 0)
        r = sd_bus_message_append(reply, "t", next);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

static void on_result(void *arg, const char *result, const Error *error) {
    sd_bus_error e = SD_BUS_ERROR_NULL;
    BusLater *l = arg;
    int r = result ? sd_bus_reply_method_return(l->call, "s", result)
                   : bus_error_from(&e, -EREMOTE, error);

    bus_later_end(l, r, &e);
}

static int method_take_result(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    Task *t = bus_task_of_call(b, m);
    BusLater *l;
    int r;

    if (!task_is_final(t)) {
        r = error_set(&error, ERROR_STILL_ACTIVE,
                      "Task %" PRIu64 " has not ended: wait for it, then take the result", t->id);
        return bus_error_from(ret_error, r, &error);
    }
    r = bus_later_new(&l, b, m, NULL, ret_error);
    if (r < 0)
        return r;
    r = b->api->take_result(b->api_userdata, t, on_result, l, &error);
    if (r >= 0)
        return 1;
    bus_later_free(l);
    return bus_error_from(ret_error, r, &error);
}

static int method_set_label(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *label;
    int r = sd_bus_message_read_basic(m, 's', &label);

    if (r < 0)
        return r;
    r = isempty(label)
            ? error_set(&error, ERROR_INVALID_OPTION, "The label is empty: give it a name")
            : task_label_check(label, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    char *copy = strdup(label);
    if (!copy)
        return -ENOMEM;
    b->api->set_label(b->api_userdata, bus_task_of_call(b, m), copy);
    return bus_reply_nothing(b, m);
}

/* ---- properties ---- */

static int property_get(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    const Task *t = task_of_path(userdata, path);
    const BusField *f = bus_field_by_property(property);

    return t && f ? bus_field_append(reply, f, userdata, t) : -ENOENT;
}

/* clang-format off */
static const sd_bus_vtable methods[] = {
    SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_pause, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            method_resume, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("i", signal), SD_BUS_NO_RESULT,
                            method_kill, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Wait", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", state, "i", code),
                            method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("OpenLog", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", log),
                            method_open_log, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("OpenLogIndex", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", index),
                            method_open_log_index, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ReadLog",
                            SD_BUS_ARGS("t", offset, "u", max),
                            SD_BUS_RESULT("ay", data, "t", next),
                            method_read_log, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("TakeResult", SD_BUS_NO_ARGS, SD_BUS_RESULT("s", result),
                            method_take_result, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SetLabel", SD_BUS_ARGS("s", label), SD_BUS_NO_RESULT,
                            method_set_label, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Send", SD_BUS_ARGS("s", message), SD_BUS_NO_RESULT,
                            bus_method_send, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SendToChildren", SD_BUS_ARGS("s", message), SD_BUS_RESULT("u", sent),
                            bus_method_send_to_children, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("WriteStdin", SD_BUS_ARGS("ay", data), SD_BUS_NO_RESULT,
                            bus_method_write_stdin, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CloseStdin", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
                            bus_method_close_stdin, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SetPriority", SD_BUS_ARGS("i", priority), SD_BUS_NO_RESULT,
                            bus_method_set_priority, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Retry", SD_BUS_NO_ARGS, SD_BUS_RESULT("t", id, "o", task),
                            bus_method_retry, SD_BUS_VTABLE_UNPRIVILEGED),
};

static const sd_bus_vtable signals[] = {
    SD_BUS_SIGNAL_WITH_ARGS("Progress",
                            SD_BUS_ARGS("d", fraction, "t", done, "t", total, "s", phase), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Status", SD_BUS_ARGS("s", text), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Log", SD_BUS_ARGS("t", offset, "a(tss)", lines), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Message", SD_BUS_ARGS("t", from, "s", message), 0),
    SD_BUS_SIGNAL_WITH_ARGS("Finished",
                            SD_BUS_ARGS("s", state, "i", code, "s", message), 0),
};
/* clang-format on */

/* Methods, the properties that bus-fields.c has, signals. */
static sd_bus_vtable *make_vtable(void) {
    size_t n = 0, n_fields = 0;

    while (bus_fields()[n_fields].key)
        n_fields++;
    sd_bus_vtable *v =
        calloc(2 + ELEMENTSOF(methods) + n_fields + ELEMENTSOF(signals), sizeof(sd_bus_vtable));
    if (!v)
        return NULL;
    v[n++] = (sd_bus_vtable)SD_BUS_VTABLE_START(0);
    for (size_t i = 0; i < ELEMENTSOF(methods); i++)
        v[n++] = methods[i];
    for (const BusField *f = bus_fields(); f->key; f++)
        v[n++] = (sd_bus_vtable)SD_BUS_PROPERTY(f->property, f->type, property_get, 0, f->flags);
    for (size_t i = 0; i < ELEMENTSOF(signals); i++)
        v[n++] = signals[i];
    v[n] = (sd_bus_vtable)SD_BUS_VTABLE_END;
    return v;
}

/* ---- objects ---- */

static int find_task(sd_bus *bus, const char *path, const char *interface, void *userdata,
                     void **ret_found, sd_bus_error *error) {
    if (!task_of_path(userdata, path))
        return 0;
    *ret_found = userdata;
    return 1;
}

/* Comes before everything else that handles a call of an object below. */
static int on_task_call(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    Bus *b = userdata;
    uint64_t id;

    if (id_of_path(sd_bus_message_get_path(m), &id) < 0)
        return 0;
    return id == 0 ? bus_error_no_such_task(ret_error, id)
                   : bus_recall_call(b->recall, id, m, ret_error);
}

static int enumerate_tasks(sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes,
                           sd_bus_error *error) {
    Bus *b = userdata;
    const TaskTable *table = b->api->tasks(b->api_userdata);
    char **nodes = calloc(ENUMERATED_MAX + 1, sizeof(char *));
    size_t n = 0;

    if (!nodes)
        return -ENOMEM;
    for (const Task *t = task_table_begin(table, true); t && n < ENUMERATED_MAX;
         t = task_table_next(table, t, true))
        if (asprintf(&nodes[n], LONGRUN_TASK_PATH "/%" PRIu64, t->id) >= 0)
            n++;
    nodes[n] = NULL;
    *ret_nodes = nodes; /* sd-bus frees it */
    return 0;
}

int bus_task_export(Bus *b) {
    int r;

    b->task_vtable = make_vtable();
    if (!b->task_vtable)
        return -ENOMEM;
    r = sd_bus_add_fallback_vtable(b->bus, &b->slots[1], LONGRUN_TASK_PATH, LONGRUN_TASK_INTERFACE,
                                   b->task_vtable, find_task, b);
    if (r >= 0)
        r = sd_bus_add_fallback(b->bus, &b->slots[2], LONGRUN_TASK_PATH, on_task_call, b);
    if (r >= 0)
        r = sd_bus_add_node_enumerator(b->bus, &b->slots[3], LONGRUN_TASK_PATH, enumerate_tasks, b);
    return r;
}
