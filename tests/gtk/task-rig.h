#pragma once

#include "dbus/dbus-proxies.h"

/* A task, and what the daemon's root object says of its children, at the other end of a connection
 * without a bus: both ends are served by the main context of the test. */
typedef struct TaskRig {
    GDBusConnection *client, *daemon;
    DbusTask *task;       /* set its properties, and emit its signals */
    DbusManager *manager; /* the same */
    GVariant *children;   /* aa{sv}: the answer of ListTasks */
    guint lists;          /* calls of it */
    guint64 missing[8];
} TaskRig;

#define TASK_RIG_ID 42

TaskRig *task_rig_new(void);
void task_rig_free(TaskRig *self);

/* There is no such task (any more), as the daemon says that. */
void task_rig_remove(TaskRig *self, guint64 id);

void task_rig_set_children(TaskRig *self, const char *text); /* GVariant text of aa{sv} */

/* Runs the main context until it holds; the test fails when that takes long. */
#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        gint64 until_end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;                           \
        while (!(condition)) {                                                                     \
            ck_assert_msg(g_get_monotonic_time() < until_end, "waited for %s", #condition);        \
            task_rig_turn();                                                                       \
        }                                                                                          \
    } while (FALSE)

/* One turn of the main context, which comes back soon also when nothing happens. */
void task_rig_turn(void);

/* All that is under way has come: a call that is answered behind it all has been. */
void task_rig_flush(TaskRig *self);
