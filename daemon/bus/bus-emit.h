#pragma once

#include "daemon/bus/bus-api.h"
#include "daemon/bus/bus-publisher.h"

/* The signals themselves, each put together and sent. What cannot be sent is logged: nobody can do
 * anything about it. */

#define TASK_PATH_SIZE 64
void bus_task_path(char path[TASK_PATH_SIZE], uint64_t id);

/* An entry of the batched signals. */
typedef struct BatchEntry {
    uint64_t id;
    TaskState state;
    int code;
} BatchEntry;

void bus_emit_state(sd_bus *bus, const Task *t);
void bus_emit_label(sd_bus *bus, const Task *t);
void bus_emit_priority(sd_bus *bus, const Task *t);
void bus_emit_progress(sd_bus *bus, const Task *t);
void bus_emit_status(sd_bus *bus, const Task *t);
void bus_emit_message(sd_bus *bus, uint64_t id, uint64_t from, const char *text);
void bus_emit_log(sd_bus *bus, const Task *t, const LogLines *lines);
void bus_emit_finished(sd_bus *bus, const Task *t);

void bus_emit_tasks_added(sd_bus *bus, const BatchEntry *entries, size_t n);
void bus_emit_tasks_changed(sd_bus *bus, Task *const *tasks, size_t n);
void bus_emit_tasks_finished(sd_bus *bus, const BatchEntry *entries, size_t n);
void bus_emit_tasks_removed(sd_bus *bus, const BatchEntry *entries, size_t n);
/* One of the Manager that announces its changes: MaxParallel, Isolation, LowDisk, Groups. */
void bus_emit_manager_property(sd_bus *bus, const char *property);
void bus_emit_group_finished(sd_bus *bus, const char *group, unsigned succeeded, unsigned failed);
void bus_emit_group_changed(sd_bus *bus, const char *group);
