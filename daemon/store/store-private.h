#pragma once

#include <stdatomic.h>

#include "daemon/store/store-db.h"
#include "daemon/store/store-thread.h"
#include "daemon/store/store.h"

/* The store from the inside. What belongs to a thread is touched by it alone; the loop may use the
 * writer's connection as long as nothing was handed to the writer. */
struct Store {
    char *path;
    StoreThread *writer, *reader;

    /* The writer's. */
    StoreDb write_db;
    uint64_t write_epoch;

    /* The reader's; opened when it is needed. */
    StoreDb read_db;
    unsigned read_generation;

    atomic_uint generation;  /* of the file: another one lies at the path when it has changed */
    _Atomic uint64_t id_max; /* of those that the loop has handed in; the writer reads it */
    atomic_bool damage_seen; /* by the reader: the writer is to move the file aside */

    /* The loop's. */
    uint64_t epoch;    /* what is committed with an earlier one than the writer's is refused */
    char *session;     /* NULL = as it is in the file */
    bool meta_written; /* it, and the highest id */
    char *damaged_path;
    size_t reads;
};
