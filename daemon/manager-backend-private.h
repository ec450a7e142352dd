#pragma once

#include "daemon/manager-private.h"

/* For the manager-backend*.c files alone. */

/* ---- what is on disk: manager-backend-kept.c ---- */

typedef struct KeptBackend {
    char *name;
    BackendSettings *settings; /* of AddBackend; NULL: only whether one from a file is polled */
    bool polling;
    UT_hash_handle hh;
} KeptBackend;

int manager_load_kept_backends(Manager *m); /* 0 or -errno */
void manager_done_kept_backends(Manager *m);
KeptBackend *manager_find_kept_backend(const Manager *m, const char *name); /* or NULL */
/* Is to be on disk with the next commit. settings: copied; NULL = as they are. 0 or -ENOMEM. */
int manager_keep_backend(Manager *m, const char *name, const BackendSettings *settings,
                         bool polling);
/* Is to go from there; nothing where it is not. 0 or -ENOMEM. */
int manager_forget_kept_backend(Manager *m, const char *name);

/* ---- what is told of them: manager-backend-news.c ---- */

extern const BackendEvents manager_backend_events; /* userdata is the manager */
/* BackendAdded, BackendRemoved, when that is on disk. */
void manager_tell_backend(Manager *m, const char *name, bool added);
void manager_done_backend_news(Manager *m);
