#include "daemon/bus/bus-emit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/bus/bus-message.h"

void bus_task_path(char path[TASK_PATH_SIZE], uint64_t id) {
    snprintf(path, TASK_PATH_SIZE, LONGRUN_TASK_PATH "/%" PRIu64, id);
}

static void report(int r, const char *what) {
    if (r < 0 && !bus_is_gone(r))
        log_warning_errno(r, "Cannot send the signal %s, ignoring", what);
}

/* sd_bus_emit_properties_changed() would look for the object and call the getters of all vtables,
 * and the end of a task may be told when it has been removed already. */
static int new_property_signal(sd_bus *bus, const Task *t, sd_bus_message **ret) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, t->id);
    return sd_bus_message_new_signal(bus, ret, path, "org.freedesktop.DBus.Properties",
                                     "PropertiesChanged");
}

static void emit_text_property(sd_bus *bus, const Task *t, const char *property, const char *text) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_property_signal(bus, t, &m);

    if (r >= 0)
        r = sd_bus_message_append(m, "sa{sv}as", LONGRUN_TASK_INTERFACE, 1, property, "s", text, 0);
    if (r >= 0)
        r = sd_bus_send(bus, m, NULL);
    report(r, "PropertiesChanged");
}

static void emit_number_property(sd_bus *bus, const Task *t, const char *property, int32_t value) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r = new_property_signal(bus, t, &m);

    if (r >= 0)
        r = sd_bus_message_append(m, "sa{sv}as", LONGRUN_TASK_INTERFACE, 1, property, "i", value,
                                  0);
    if (r >= 0)
        r = sd_bus_send(bus, m, NULL);
    report(r, "PropertiesChanged");
}

void bus_emit_manager_property(sd_bus *bus, const char *property) {
    report(sd_bus_emit_properties_changed(bus, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                          property, NULL),
           "PropertiesChanged");
}

/* An end that is told is on disk, or about to be told as such. */
static const char *state_to_tell(const Task *t) {
    return task_state_to_string(task_is_final(t) ? t->state : task_shown_state(t));
}

void bus_emit_state(sd_bus *bus, const Task *t) {
    emit_text_property(bus, t, "State", state_to_tell(t));
}

void bus_emit_label(sd_bus *bus, const Task *t) {
    emit_text_property(bus, t, "Label", t->spec->label);
}

void bus_emit_priority(sd_bus *bus, const Task *t) {
    emit_number_property(bus, t, "Priority", t->spec->priority);
}

void bus_emit_progress(sd_bus *bus, const Task *t) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, t->id);
    report(sd_bus_emit_signal(bus, path, LONGRUN_TASK_INTERFACE, "Progress", "dtts",
                              task_work(t)->progress.fraction, task_work(t)->progress.done,
                              task_work(t)->progress.total, strempty(task_work(t)->progress.phase)),
           "Progress");
}

void bus_emit_status(sd_bus *bus, const Task *t) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, t->id);
    report(sd_bus_emit_signal(bus, path, LONGRUN_TASK_INTERFACE, "Status", "s",
                              strempty(task_work(t)->status)),
           "Status");
}

void bus_emit_message(sd_bus *bus, uint64_t id, uint64_t from, const char *text) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, id);
    report(sd_bus_emit_signal(bus, path, LONGRUN_TASK_INTERFACE, "Message", "ts", from, text),
           "Message");
}

static int append_lines(sd_bus_message *m, const LogLines *lines) {
    int r = sd_bus_message_append(m, "t", lines->offset);

    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(tss)");
    for (size_t i = 0; r >= 0 && i < lines->count; i++)
        r = sd_bus_message_append(m, "(tss)", lines->lines[i].time_usec,
                                  log_stream_to_string(lines->lines[i].stream),
                                  lines->lines[i].text);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

void bus_emit_log(sd_bus *bus, const Task *t, const LogLines *lines) {
    _cleanup_message_ sd_bus_message *m = NULL;
    char path[TASK_PATH_SIZE];

    bus_task_path(path, t->id);
    int r = sd_bus_message_new_signal(bus, &m, path, LONGRUN_TASK_INTERFACE, "Log");
    if (r >= 0)
        r = append_lines(m, lines);
    if (r >= 0)
        r = sd_bus_send(bus, m, NULL);
    report(r, "Log");
}

void bus_emit_finished(sd_bus *bus, const Task *t) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, t->id);
    report(sd_bus_emit_signal(bus, path, LONGRUN_TASK_INTERFACE, "Finished", "sis",
                              task_state_to_string(t->state), t->exit_code, strempty(t->message)),
           "Finished");
}

/* ---- batches ---- */

/* So that no message of a batch grows without bound. */
#define BATCH_MAX 5000

typedef int (*AppendFunc)(sd_bus_message *m, const void *entries, size_t i);

static int send_batch(sd_bus *bus, const char *signal, const char *type, AppendFunc append,
                      const void *entries, size_t from, size_t to) {
    _cleanup_message_ sd_bus_message *m = NULL;
    int r =
        sd_bus_message_new_signal(bus, &m, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, signal);

    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', type);
    for (size_t i = from; r >= 0 && i < to; i++)
        r = append(m, entries, i);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_send(bus, m, NULL);
}

static void emit_batch(sd_bus *bus, const char *signal, const char *type, AppendFunc append,
                       const void *entries, size_t n) {
    for (size_t i = 0; i < n; i += BATCH_MAX)
        report(send_batch(bus, signal, type, append, entries, i, MIN(n, i + BATCH_MAX)), signal);
}

static int append_added(sd_bus_message *m, const void *entries, size_t i) {
    const BatchEntry *e = (const BatchEntry *)entries + i;
    char path[TASK_PATH_SIZE];

    bus_task_path(path, e->id);
    return sd_bus_message_append(m, "(to)", e->id, path);
}

static int append_changed(sd_bus_message *m, const void *entries, size_t i) {
    const Task *t = ((Task *const *)entries)[i];

    return sd_bus_message_append(m, "(tsds)", t->id, state_to_tell(t),
                                 task_work(t)->progress.fraction, strempty(task_work(t)->status));
}

static int append_finished(sd_bus_message *m, const void *entries, size_t i) {
    const BatchEntry *e = (const BatchEntry *)entries + i;

    return sd_bus_message_append(m, "(tsi)", e->id, task_state_to_string(e->state), e->code);
}

static int append_removed(sd_bus_message *m, const void *entries, size_t i) {
    const BatchEntry *e = (const BatchEntry *)entries + i;

    return sd_bus_message_append_basic(m, 't', &e->id);
}

void bus_emit_tasks_added(sd_bus *bus, const BatchEntry *entries, size_t n) {
    emit_batch(bus, "TasksAdded", "(to)", append_added, entries, n);
}

void bus_emit_tasks_changed(sd_bus *bus, Task *const *tasks, size_t n) {
    emit_batch(bus, "TasksChanged", "(tsds)", append_changed, tasks, n);
}

void bus_emit_tasks_finished(sd_bus *bus, const BatchEntry *entries, size_t n) {
    emit_batch(bus, "TasksFinished", "(tsi)", append_finished, entries, n);
}

void bus_emit_tasks_removed(sd_bus *bus, const BatchEntry *entries, size_t n) {
    emit_batch(bus, "TasksRemoved", "t", append_removed, entries, n);
}

void bus_emit_group_finished(sd_bus *bus, const char *group, unsigned succeeded, unsigned failed) {
    report(sd_bus_emit_signal(bus, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "GroupFinished",
                              "suu", group, (uint32_t)succeeded, (uint32_t)failed),
           "GroupFinished");
}

void bus_emit_group_changed(sd_bus *bus, const char *group) {
    report(sd_bus_emit_signal(bus, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "GroupChanged",
                              "s", group),
           "GroupChanged");
}
