#pragma once

#include "daemon/exec/keeper-client.h"

/* Sees to it that there is a connection to a keeper: finds the one that lives, takes that of
 * longrun-tasks.service when its owner says so, or else starts one. */

typedef struct KeeperLink KeeperLink;

/* From the loop, but for `needed`. */
typedef struct KeeperLinkEvents {
    /* Is there longrun-tasks.service? To be answered by keeper_link_use_unit(), now or later. Also
     * from within keeper_link_want(). */
    void (*needed)(void *userdata);
    void (*ready)(void *userdata);             /* a keeper has answered, see keeper_link_client() */
    void (*lost)(void *userdata, uint64_t id); /* KEEPER_LOST */
    void (*writable)(void *userdata);          /* after -EAGAIN of a spawn there is room again */
    void (*gone)(void *userdata);              /* the keeper has ended */
    void (*failed)(void *userdata, int error); /* no keeper could be had; why has been logged */
} KeeperLinkEvents;

/* libexec_dir: where longrun-shim lies; runtime_dir: that of the daemon. */
int keeper_link_new(KeeperLink **ret, sd_event *event, const char *libexec_dir,
                    const char *runtime_dir, const KeeperLinkEvents *events, void *userdata);
KeeperLink *keeper_link_free(KeeperLink *l); /* NULL-safe, gives NULL; a keeper goes on */

/* At the start, without the loop and without events: 1 when a keeper lives and has answered, 0 when
 * there is none, or -errno: one may be there that has not answered in time, events tell of it. */
int keeper_link_find(KeeperLink *l, uint64_t timeout_usec);

/* A keeper is wanted: ready() or failed() comes. Does nothing when that is under way, or done. */
void keeper_link_want(KeeperLink *l);

/* The answer to `needed`: unit = the service runs and its keeper listens; otherwise the reason, in
 * words, why there is none. Does nothing where there is a keeper. */
void keeper_link_use_unit(KeeperLink *l, bool unit, const char *reason);

/* The keeper that has answered, or NULL. Not for keeping: it changes with the events. */
KeeperClient *keeper_link_client(const KeeperLink *l);
/* A connection is under way: what the keeper knows will be known. */
bool keeper_link_is_busy(const KeeperLink *l);
