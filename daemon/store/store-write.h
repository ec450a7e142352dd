#pragma once

#include "daemon/store/store-private.h"

/* A commit on its way through the writer. */
typedef struct StoreCommit {
    StoreJob job;
    Store *store;      /* not owned */
    StoreBatch *batch; /* the caller's */
    bool has_meta;     /* with it these are written down: */
    char *session;     /* NULL = none */
    uint64_t id_max;
    uint64_t epoch;
    StoreCommitFunc func;
    void *userdata;

    /* What the writer says. */
    int error;
    bool replaced; /* the database: what is committed from now on has this epoch */
    uint64_t new_epoch;
    char *damaged_path; /* of the one before; NULL when it was gone */
} StoreCommit;

/* In the writer: works on commits. */
void store_write(void *userdata, StoreThread *t, StoreJob *job);
