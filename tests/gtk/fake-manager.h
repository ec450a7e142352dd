#pragma once

#include "common/task-state.h"
#include "dbus/dbus-proxies.h"

/* The daemon's root object, as far as the list of tasks asks it, at the other end of a connection
 * without a bus: both ends are served by the main context of the test. */
typedef struct FakeManager FakeManager;

FakeManager *fake_manager_new(void);
void fake_manager_free(FakeManager *self);

/* The proxy for clients. */
DbusManager *fake_manager_proxy(FakeManager *self);

/* ---- its tasks ---- */

/* They get the ids after those there are. */
void fake_manager_add(FakeManager *self, guint n, TaskState state, const char *group);
void fake_manager_set_state(FakeManager *self, guint64 id, TaskState state);
void fake_manager_remove(FakeManager *self, const guint64 *ids, gsize n);
TaskState fake_manager_state(FakeManager *self, guint64 id); /* _TASK_STATE_INVALID: it is gone */
guint fake_manager_count(FakeManager *self);

/* The three above tell by signals from now on, or do not. */
void fake_manager_tell(FakeManager *self, gboolean on);

/* ---- what was asked ---- */

/* Calls of ListTasks so far, and tasks in the answers. */
guint fake_manager_calls(FakeManager *self);
guint fake_manager_listed(FakeManager *self);

/* Other calls fail with this name of an error, without its prefix; NULL: they do not. */
void fake_manager_fail(FakeManager *self, const char *error);
/* Pages come in disorder. */
void fake_manager_confuse(FakeManager *self, gboolean on);

/* ---- waiting ---- */

/* Until everything that is under way has come, and what it asks for again. */
void fake_manager_settle(FakeManager *self);

/* Lets the main context run until it holds; the test fails when it does not for long. */
#define SPIN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        gint64 spin_end = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;                            \
        while (!(condition)) {                                                                     \
            ck_assert_msg(g_get_monotonic_time() < spin_end, "waited for %s", #condition);         \
            fake_manager_turn();                                                                   \
        }                                                                                          \
    } while (FALSE)

/* One turn of the main context, which comes back soon also when nothing happens. */
void fake_manager_turn(void);
