#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "common/macro.h"

/* longrun-tasks.service, in which keeper and shims run: asks the systemd user manager to start it.
 * Nothing here blocks the loop. */

#define TASKS_UNIT "longrun-tasks.service"

typedef struct TasksUnit TasksUnit;

/* usable: it runs, and its keeper listens in our runtime folder. Otherwise the reason why it does
 * not, in words, valid during the call. */
typedef void (*TasksUnitAnswer)(void *userdata, bool usable, const char *reason);

/* runtime_dir: the daemon's. The bus is kept a reference of. */
int tasks_unit_new(TasksUnit **ret, sd_bus *bus, sd_event *event, const char *runtime_dir,
                   TasksUnitAnswer answer, void *userdata);
/* NULL-safe, gives NULL; a question that is open is not answered any more. */
TasksUnit *tasks_unit_free(TasksUnit *u);

/* Asks; the answer comes from the loop, within some ten seconds. While the unit is being stopped
 * there is none: it can be started when that is over, and no task must start meanwhile. Asking
 * again before the answer does nothing. */
void tasks_unit_ask(TasksUnit *u);
