#pragma once

#include "daemon/store/store-batch.h"
#include "daemon/store/store-db.h"

/* Backends and operations as rows of the tables of these names; how they are read is in store.h. */

int store_backend_put(StoreDb *d, const StoreBatch *b, const StoreOp *op);
int store_backend_remove(StoreDb *d, const StoreBatch *b, const StoreOp *op);
int store_operation_put(StoreDb *d, const StoreBatch *b, const StoreOp *op);
