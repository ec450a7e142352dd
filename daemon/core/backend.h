#pragma once

#include <uthash.h>

#include "daemon/core/backend-settings.h"
#include "daemon/core/group.h"

/* An HTTP service that is watched for everyone: what is known of it. */

#define BACKENDS_MAX 2000
#define BACKEND_NAME_MAX GROUP_NAME_MAX

/* Larger ones are told, but not kept; neither is what goes beyond so much of all backends. */
#define BACKEND_STATUS_MAX (1 * MIB)
#define BACKEND_STATUS_TOTAL_MAX (16 * MIB)

typedef enum BackendState {
    BACKEND_UNKNOWN, /* not asked yet; or this machine itself is offline */
    BACKEND_ONLINE,
    BACKEND_OFFLINE,
    _BACKEND_STATE_MAX,
} BackendState;

const char *backend_state_to_string(BackendState state); /* "unknown", ... */

typedef struct Backend {
    char *name;                /* as group_name_check("backend", ...) says */
    BackendSettings *settings; /* owned */
    char *origin;              /* the file that defines it; NULL: AddBackend did */

    BackendState state;
    char *reason;          /* why it is unknown or offline, in words; "" = nothing to say */
    bool polling;          /* it is checked and polled by itself */
    uint64_t last_update;  /* of the last good answer; CLOCK_REALTIME microseconds, 0 = none yet */
    uint64_t latency_usec; /* of that answer */
    uint64_t next_check;   /* of the status, CLOCK_REALTIME microseconds; 0 = none is planned */
    char *last_error;      /* "" after a good answer */
    char *status;          /* JSON of the last good check, NULL = none yet, or BACKEND_STATUS_MAX */
    char *current_peer;    /* of a messenger; "" = none */

    unsigned users;    /* tasks that are at work on it: it cannot be removed */
    void *watch;       /* of http/backend-watch.c; not owned */
    void *kept;        /* of its type, see BackendType in http/backend-watch.h; not owned */
    UT_hash_handle hh; /* by name */
} Backend;

Backend *backend_new(const char *name,
                     BackendSettings *settings); /* takes settings; NULL: memory */
Backend *backend_free(Backend *b);               /* NULL-safe, gives NULL */

/* What happens to backends; the manager joins it to the bus and to tasks that wait. From the loop,
 * never from within a call that asked for it. Texts and JSON are the callee's to read, not to keep.
 * None may remove a backend. */
struct FriendList;
struct MessageList;
typedef struct BackendEvents {
    /* A status check is over: BackendOnline(online), then, where online, StatusUpdated. online:
     * what this one check has found; the state is as the thresholds have it. */
    void (*checked)(void *userdata, Backend *b, bool online, const char *status_json);
    void (*state_changed)(void *userdata, Backend *b); /* state, or its reason */
    /* What is polled is another than before. */
    void (*updated)(void *userdata, Backend *b, const char *path, const char *json);
    /* Once for each text, until there was a good answer. A check that finds nobody there is none:
     * `checked` and the reason say so. */
    void (*error)(void *userdata, Backend *b, const char *message);

    /* Of messengers: see core/messenger-data.h. */
    void (*friends_loaded)(void *userdata, Backend *b, const struct FriendList *friends);
    void (*friend_added)(void *userdata, Backend *b, const struct FriendList *one);
    void (*messages_loaded)(void *userdata, Backend *b, const char *peer,
                            const struct MessageList *messages);
    void (*message_sent)(void *userdata, Backend *b, const struct MessageList *one);
    void (*current_peer_changed)(void *userdata, Backend *b);
} BackendEvents;
