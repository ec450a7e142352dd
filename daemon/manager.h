#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "daemon/config.h"
#include "daemon/state-dir.h"

/* The composition root: owns every part of the daemon and joins them. */

typedef struct Manager Manager;

typedef struct ManagerOptions {
    const char *config_path; /* NULL = the default place */
    const char *state_dir;   /* NULL = the default place */
    const char *libexec_dir; /* where longrun-shim and longrun-worker lie */
    uint64_t nofile;         /* soft RLIMIT_NOFILE of tasks, 0 = the daemon's own */
    bool has_max_parallel;   /* of the command line: wins over the file */
    unsigned max_parallel;
} ManagerOptions;

/* Takes the state dir and reads the configuration. 0; -EREMOTE with the error set, in words for the
 * person who started the daemon; or another -errno. */
int manager_new(Manager **ret, sd_event *event, const ManagerOptions *options, Error *error);
Manager *manager_free(Manager *m); /* NULL-safe, gives NULL; nothing may be running */

/* Puts the objects on a connection, and takes up the tasks of the daemon before. Once. 0; -EREMOTE
 * with the error set; or another -errno. */
int manager_attach_bus(Manager *m, sd_bus *bus, Error *error);

/* Reads the configuration again. 0, or -EREMOTE and all stays as it is. */
int manager_reload(Manager *m, Error *error);

/* No more starts. Commands go on, what waits keeps its place, tasks on threads are interrupted;
 * when all is on disk the event loop ends with the exit status. A second call only raises the
 * status. */
void manager_stop(Manager *m, int exit_status);

/* How long that may take, microseconds. */
uint64_t manager_stop_timeout(const Manager *m);

/* A thread did not heed its cancel: the manager cannot be freed, the process is to exit. */
bool manager_has_stuck_threads(const Manager *m);
