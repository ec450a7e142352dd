#pragma once
#include <systemd/sd-bus.h>
#include <stdbool.h>
typedef struct TasksUnit TasksUnit;
int tasks_unit_new(TasksUnit **ret, sd_bus *bus, sd_event *event, const char *runtime_dir, void (*cb)(void *userdata, bool usable, const char *reason), void *userdata);
TasksUnit *tasks_unit_free(TasksUnit *u);
int tasks_unit_ask(TasksUnit *u);
