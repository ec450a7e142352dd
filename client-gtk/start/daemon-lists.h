#pragma once

#include "client-gtk/base/daemon-link.h"

/* What can be chosen of: kinds, groups and backends of the daemon. They are asked for whenever it
 * comes, and when it says that they changed; what was last known stays. Signal "changed". */
#define LONGRUN_TYPE_DAEMON_LISTS (daemon_lists_get_type())
G_DECLARE_FINAL_TYPE(DaemonLists, daemon_lists, LONGRUN, DAEMON_LISTS, GObject)

DaemonLists *daemon_lists_new(DaemonLink *link);

/* All owned by self, good until "changed"; empty until they are known. Kinds with "command" as the
 * first. */
const char *const *daemon_lists_kinds(DaemonLists *self);
const char *const *daemon_lists_groups(DaemonLists *self);
const char *const *daemon_lists_backends(DaemonLists *self);

/* What a kind does, as the daemon says; "" for one that is not known. */
const char *daemon_lists_describe(DaemonLists *self, const char *kind);
