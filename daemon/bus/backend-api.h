#pragma once

#include "daemon/core/backend.h"
#include "daemon/core/messenger-data.h"

/* What the bus asks of the rest of the daemon about backends; the manager fills it in. As in
 * bus-api.h: 0 or more, -EREMOTE with the error set, or another -errno; func is called once, later,
 * from the loop, unless the function has given an error. */

#define LONGRUN_BACKEND_PATH "/org/longrun/Longrun1/backend"
#define LONGRUN_BACKEND_INTERFACE "org.longrun.Longrun1.Backend"
#define LONGRUN_MESSENGER_INTERFACE "org.longrun.Longrun1.Messenger"

typedef struct BackendApi {
    Backend *(*find)(void *userdata, const char *name);
    const Backend *(*next)(void *userdata, const Backend *b); /* by name; NULL begins, ends */
    /* Takes settings, which are checked. The reply waits for a commit. */
    int (*add)(void *userdata, const char *name, BackendSettings *settings, Error *error);
    int (*remove)(void *userdata, const char *name, Error *error);         /* the same */
    int (*set_polling)(void *userdata, Backend *b, bool on, Error *error); /* the same */

    int (*check)(void *userdata, Backend *b,
                 void (*func)(void *arg, bool online, const Error *error), void *arg, Error *error);
    int (*poll)(void *userdata, Backend *b, void (*func)(void *arg, const Error *error), void *arg,
                Error *error);
    int (*request)(void *userdata, Backend *b, const char *method, const char *path,
                   const char *body,
                   void (*func)(void *arg, unsigned http_status, const char *body,
                                const Error *error),
                   void *arg, Error *error);

    /* Of messengers. */
    int (*load_friends)(void *userdata, Backend *b,
                        void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                        Error *error);
    int (*add_friend)(void *userdata, Backend *b, const char *username,
                      void (*func)(void *arg, const FriendList *l, const Error *error), void *arg,
                      Error *error);
    int (*remove_friend)(void *userdata, Backend *b, const char *username,
                         void (*func)(void *arg, const Error *error), void *arg, Error *error);
    int (*load_messages)(void *userdata, Backend *b, const char *peer, unsigned limit,
                         void (*func)(void *arg, const char *peer, const MessageList *l,
                                      const Error *error),
                         void *arg, Error *error);
    int (*send_message)(void *userdata, Backend *b, const char *to, const char *content,
                        void (*func)(void *arg, const char *peer, const MessageList *l,
                                     const Error *error),
                        void *arg, Error *error);
    int (*delete_message)(void *userdata, Backend *b, const char *id,
                          void (*func)(void *arg, const Error *error), void *arg, Error *error);
    int (*set_current_peer)(void *userdata, Backend *b, const char *peer, Error *error);
} BackendApi;
