#pragma once

#include "daemon/store/store-db.h"

/* The schema, as the steps that have led to it. */

int migrations_version(void); /* of the schema that this program knows: the number of steps */

/* Runs the steps between two versions, 0 = an empty database, within the transaction under way. */
int migrations_run(StoreDb *d, int from, int to);
