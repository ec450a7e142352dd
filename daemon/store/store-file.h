#pragma once

#include "daemon/core/error.h"
#include "daemon/store/store-db.h"

/* The file of the database: made, checked, opened, and put in the place of a damaged one. */

/* Opens it for writing, after making, updating or replacing it; see store_open(). */
int store_file_open(StoreDb *d, const char *path, char **ret_damaged, Error *error);

/* The highest id that was ever given out, by what the database knows. */
int store_file_id_max(StoreDb *d, uint64_t *ret);

/* Moves a damaged database aside whole and puts a new one in its place with all that can be read of
 * it. Ids go on above id_above. Nobody may be writing. *ret_damaged: where it lies now, for the
 * caller to free; NULL when there was none. On failure, for example for want of room, the damaged
 * one is left where it was. 0 or -errno. */
int store_file_replace(const char *path, uint64_t id_above, char **ret_damaged);
