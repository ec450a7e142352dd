#pragma once

#include "dbus/dbus-proxies.h"

/* The way to longrund: the session bus, the proxy of its root object, and whether it is there.
 *
 * Properties that notify: "state" (int, a DaemonState). Between two daemons the state always is
 * something else than DAEMON_RUNNING for a moment: whoever shows something of the daemon loads it
 * anew when it is DAEMON_RUNNING, and keeps it, as what was last known, until then. */
typedef enum DaemonState {
    DAEMON_CONNECTING, /* not known yet, or it is being started */
    DAEMON_RUNNING,
    DAEMON_ABSENT, /* it has ended, or could not be started: see the reason */
    DAEMON_NO_BUS, /* there is no session bus, or no more */
} DaemonState;

#define LONGRUN_TYPE_DAEMON_LINK (daemon_link_get_type())
G_DECLARE_FINAL_TYPE(DaemonLink, daemon_link, LONGRUN, DAEMON_LINK, GObject)

/* Does nothing until it is opened. */
DaemonLink *daemon_link_new(void);

/* Connects, and starts the daemon by activation when nobody has. Again, it starts one that is
 * absent. */
void daemon_link_open(DaemonLink *self);

DaemonState daemon_link_get_state(DaemonLink *self);

/* Why it is DAEMON_ABSENT or DAEMON_NO_BUS, for people; "" else. */
const char *daemon_link_get_reason(DaemonLink *self);

/* Both are NULL until there was a bus, and owned by self. The proxy caches no properties and starts
 * no daemon. */
GDBusConnection *daemon_link_get_connection(DaemonLink *self);
DbusManager *daemon_link_get_manager(DaemonLink *self);

/* "/org/longrun/Longrun1/task/42"; g_free(). */
char *daemon_link_task_path(guint64 id);

#define DAEMON_NAME "org.longrun.Longrun1"
#define DAEMON_ROOT "/org/longrun/Longrun1"
