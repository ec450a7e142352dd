#pragma once

#include <systemd/sd-event.h>

#include "common/macro.h"

/* A keeper that the daemon starts itself, where there is no longrun-tasks.service. It outlives the
 * daemon; while both live it is reaped here. */

typedef struct KeeperProcess KeeperProcess;

/* It has ended; what is to be said about that has been logged. The process is to be freed, also
 * from within. */
typedef void (*KeeperProcessEnded)(void *userdata);

/* libexec_dir: where longrun-shim lies. SIGCHLD must be blocked. 0 or -errno when it could not be
 * executed. */
int keeper_process_start(KeeperProcess **ret, sd_event *event, const char *libexec_dir,
                         const char *runtime_dir, KeeperProcessEnded ended, void *userdata);
/* The keeper goes on. NULL-safe, gives NULL. */
KeeperProcess *keeper_process_free(KeeperProcess *p);
