#pragma once

#include "daemon/store/store-batch.h"
#include "daemon/store/store-db.h"

/* Groups and resources as rows of the tables grp and resource; how they are read is in store.h. */

int store_group_put(StoreDb *d, const StoreBatch *b, const StoreOp *op);
int store_group_remove(StoreDb *d, const StoreBatch *b, const StoreOp *op);
int store_resource_put(StoreDb *d, const StoreBatch *b, const StoreOp *op);
