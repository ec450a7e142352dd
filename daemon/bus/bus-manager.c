#include "version.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "daemon/bus/bus-backend.h"
#include "daemon/bus/bus-by-id.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-group.h"
#include "daemon/bus/bus-list.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-priority.h"
#include "daemon/bus/bus-reply.h"
#include "daemon/bus/bus-resource.h"
#include "daemon/bus/bus-retry.h"
#include "daemon/bus/bus-start.h"

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
    for (Task *t = task_table_begin(table, true), *next; t; t = next) {
        next = task_table_next(table, t, true);
        if (!task_is_final(t) && task_filter_matches(&filter, t)) {
            accepted += !t->cancel_requested;
            b->api->cancel(b->api_userdata, t);
        }
    }
    return bus_reply_number(b, m, accepted);
}

/* ---- looking ---- */

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

static int property_get_isolation(sd_bus *bus, const char *path, const char *interface,
                                  const char *property, sd_bus_message *reply, void *userdata,
                                  sd_bus_error *error) {
    Bus *b = userdata;

    return sd_bus_message_append_basic(reply, 's', b->api->isolation(b->api_userdata));
}

static int property_get_flag(sd_bus *bus, const char *path, const char *interface,
                             const char *property, sd_bus_message *reply, void *userdata,
                             sd_bus_error *error) {
    Bus *b = userdata;
    int flag = streq(property, "LowDisk") ? b->api->low_disk(b->api_userdata)
                                          : b->api->ends_at_logout(b->api_userdata);

    return sd_bus_message_append_basic(reply, 'b', &flag);
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
    bus_emit_manager_property(bus, "MaxParallel");
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
                            bus_method_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CancelAll",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("u", accepted),
                            method_cancel_all, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RetryAll",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("at", ids),
                            bus_method_retry_all, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("SetPriorityAll",
                            SD_BUS_ARGS("a{sv}", filter, "i", priority),
                            SD_BUS_RESULT("u", changed),
                            bus_method_set_priority_all, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("GetTask",
                            SD_BUS_ARGS("t", id),
                            SD_BUS_RESULT("o", task),
                            bus_method_get_task, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListTasks",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("aa{sv}", tasks, "t", next),
                            bus_method_list_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("CountTasks",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("a{su}", counts),
                            bus_method_count_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Wait",
                            SD_BUS_ARGS("at", ids),
                            SD_BUS_RESULT("a(tsi)", ended),
                            bus_method_wait, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveTasks",
                            SD_BUS_ARGS("at", ids),
                            SD_BUS_RESULT("u", removed),
                            bus_method_remove_tasks, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Prune",
                            SD_BUS_ARGS("a{sv}", filter),
                            SD_BUS_RESULT("u", removed),
                            bus_method_prune, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ConfigureGroup",
                            SD_BUS_ARGS("s", name, "a{sv}", properties),
                            SD_BUS_NO_RESULT,
                            bus_method_configure_group, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveGroup",
                            SD_BUS_ARGS("s", name),
                            SD_BUS_NO_RESULT,
                            bus_method_remove_group, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListGroups",
                            SD_BUS_NO_ARGS,
                            SD_BUS_RESULT("aa{sv}", groups),
                            bus_method_list_groups, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Pause",
                            SD_BUS_ARGS("s", group),
                            SD_BUS_NO_RESULT,
                            bus_method_pause, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Resume",
                            SD_BUS_ARGS("s", group),
                            SD_BUS_NO_RESULT,
                            bus_method_resume, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("Drain",
                            SD_BUS_ARGS("s", group),
                            SD_BUS_NO_RESULT,
                            bus_method_drain, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ConfigureResource",
                            SD_BUS_ARGS("s", name, "u", capacity),
                            SD_BUS_NO_RESULT,
                            bus_method_configure_resource, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListResources",
                            SD_BUS_NO_ARGS,
                            SD_BUS_RESULT("a(suu)", resources),
                            bus_method_list_resources, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("AddBackend",
                            SD_BUS_ARGS("s", name, "a{sv}", settings),
                            SD_BUS_RESULT("o", backend),
                            bus_method_add_backend, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("RemoveBackend",
                            SD_BUS_ARGS("s", name),
                            SD_BUS_NO_RESULT,
                            bus_method_remove_backend, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("ListBackends",
                            SD_BUS_NO_ARGS,
                            SD_BUS_RESULT("a(so)", backends),
                            bus_method_list_backends, SD_BUS_VTABLE_UNPRIVILEGED),
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
    SD_BUS_PROPERTY("Isolation", "s", property_get_isolation, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("LowDisk", "b", property_get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Groups", "as", bus_property_get_groups, 0,
                    SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("EndsAtLogout", "b", property_get_flag, 0, 0),

    SD_BUS_SIGNAL_WITH_ARGS("TasksAdded", SD_BUS_ARGS("a(to)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksChanged", SD_BUS_ARGS("a(tsds)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksFinished", SD_BUS_ARGS("a(tsi)", tasks), 0),
    SD_BUS_SIGNAL_WITH_ARGS("TasksRemoved", SD_BUS_ARGS("at", ids), 0),
    SD_BUS_SIGNAL_WITH_ARGS("GroupFinished",
                            SD_BUS_ARGS("s", group, "u", succeeded, "u", failed), 0),
    SD_BUS_SIGNAL_WITH_ARGS("GroupChanged", SD_BUS_ARGS("s", group), 0),
    SD_BUS_SIGNAL_WITH_ARGS("BackendAdded", SD_BUS_ARGS("s", name, "o", backend), 0),
    SD_BUS_SIGNAL_WITH_ARGS("BackendRemoved", SD_BUS_ARGS("s", name, "o", backend), 0),

    SD_BUS_VTABLE_END
};
/* clang-format on */

int bus_manager_export(Bus *b) {
    return sd_bus_add_object_vtable(b->bus, &b->slots[0], LONGRUN_ROOT_PATH,
                                    LONGRUN_MANAGER_INTERFACE, manager_vtable, b);
}
