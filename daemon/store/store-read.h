#pragma once

#include "daemon/store/store-private.h"

typedef struct StoredEnv {
    int64_t id;
    char *block; /* owned */
    size_t size;
} StoredEnv;

/* A question on its way through the reader. */
typedef struct StoreRead {
    StoreJob job;
    Store *store;                                /* not owned */
    int (*ask)(struct StoreRead *q, StoreDb *d); /* in the reader */
    void (*answer)(struct StoreRead *q);         /* on the loop */
    void *func, *userdata;

    TaskFilter filter; /* with strings of its own */
    StoreLimits limits;
    EnvTable *envs; /* the caller's; NULL = without environments */

    int error;
    uint64_t *ids; /* asked for, or found */
    size_t n_ids;
    Task **tasks;
    int64_t *task_envs; /* ids of their environments, 0 = none */
    size_t n_tasks;
    StoredEnv *stored_envs;
    size_t n_stored_envs;
    uint64_t next;
    uint32_t counts[_TASK_STATE_MAX];
    char *json;
} StoreRead;

/* Room for so many more tasks. 0 or -ENOMEM. */
int store_read_tasks_room(StoreRead *q, size_t n);
/* Reads one task behind those that were read: NULL when there is no such row. ret_size: bytes of
 * its request and its attempts. */
int store_read_task(StoreRead *q, StoreDb *d, uint64_t id, size_t *ret_size);

/* ---- store-list.c ---- */

int store_ask_page(StoreRead *q, StoreDb *d);
int store_ask_counts(StoreRead *q, StoreDb *d);
int store_ask_matches(StoreRead *q, StoreDb *d);

/* ---- store-retention.c ---- */

int store_ask_excess(StoreRead *q, StoreDb *d);

/* In the reader. */
void store_read(void *userdata, StoreThread *t, StoreJob *job);
