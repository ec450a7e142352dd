#pragma once

#include "daemon/store/store-db.h"

/* Copies what can be read of a damaged database into a new, empty one, within the transaction under
 * way, and brings its schema up to date. Ids go on above id_above and all that was seen. What could
 * not be read is left out; an active task of which a part is lost has been interrupted, and so has
 * one that waits for a task that is lost. 0, or -errno of the new one. */
int store_rescue(StoreDb *to, const char *damaged, uint64_t id_above);
