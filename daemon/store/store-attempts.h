#pragma once

#include "daemon/store/store-batch.h"
#include "daemon/store/store-db.h"

/* Attempts of a task before its last one, as rows of the table attempt. */

int store_attempt_put(StoreDb *d, const StoreBatch *b, const StoreOp *op);
int store_attempts_remove(StoreDb *d, uint64_t task_id);

/* Adds those of the task to it, in their order. What is no attempt is passed over. 0 or -errno. */
int store_attempts_read(StoreDb *d, Task *t);
