#pragma once

#include <systemd/sd-event.h>

#include "common/macro.h"

/* The daemon's connection to the keeper of its runtime folder, see common/shim-protocol.h. Made
 * with the hello already under way; what it sends is read by the loop, or, at the start, by
 * keeper_client_wait(). Once the connection is lost it stays so: make another. */

#define KEEPER_LIVE_MAX 1000000 /* shims that a keeper may tell of */

typedef struct KeeperClient KeeperClient;

typedef struct KeeperClientEvents {
    void (*ready)(void *userdata);             /* the hello is answered */
    void (*lost)(void *userdata, uint64_t id); /* KEEPER_LOST */
    void (*writable)(void *userdata);          /* after -EAGAIN there is room again */
    /* The connection is lost, or the hello was not answered in time. Last; the client is to be
     * freed, also from within. */
    void (*gone)(void *userdata, int error);
} KeeperClientEvents;

/* 0, or -errno: -ENOENT and -ECONNREFUSED mean that there is no keeper; -EAGAIN that it is too busy
 * for now. No event comes from within the call. */
int keeper_client_connect(KeeperClient **ret, sd_event *event, const char *runtime_dir,
                          const KeeperClientEvents *events, void *userdata);
KeeperClient *keeper_client_free(KeeperClient *k); /* NULL-safe, gives NULL */

/* Waits for the answer to the hello, without the loop and without events. 0; -ETIMEDOUT, then the
 * answer may still come to the loop; another -errno when the connection was lost: free it. */
int keeper_client_wait(KeeperClient *k, uint64_t timeout_usec);

/* Once it is ready: what it has answered. */
bool keeper_client_is_ready(const KeeperClient *k);
const char *keeper_client_version(const KeeperClient *k);
const char *keeper_client_isolation(const KeeperClient *k);   /* ISOLATION_* */
const char *keeper_client_cgroup(const KeeperClient *k);      /* "" = none */
const char *keeper_client_controllers(const KeeperClient *k); /* "" = none */
/* The keeper had a shim for the task when it answered. */
bool keeper_client_has(const KeeperClient *k, uint64_t id);

/* Asks for a shim. The descriptors, of the job and of the shim's end of its control socket, stay
 * the caller's. 0; -EAGAIN when there is no room, writable() comes then; or another -errno, when
 * this one cannot be sent. */
int keeper_client_spawn(KeeperClient *k, uint64_t id, int job_fd, int control_fd);
