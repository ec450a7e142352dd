#pragma once

#include <uthash.h>

#include "daemon/core/error.h"
#include "daemon/core/option-values.h"

/* Named tokens, of which there is a number: tasks claim some, all that they want at once or none,
 * and hold them while they run. */

#define RESOURCES_MAX 1000

typedef struct Resource {
    char *name;
    uint32_t capacity;
    uint32_t used;      /* may be more than capacity, which was lowered meanwhile */
    bool removed;       /* there is none any more, but for what is used */
    unsigned wanted_by; /* the scheduler's: lanes whose first wants some */
    bool closed;        /* scratch of the scheduler: somebody who comes first waits for it */
    uint32_t given;     /* scratch of the scheduler: so many are for somebody who comes first */
    const struct Task *keeper; /* scratch of the scheduler: who that is, the last of them */
    UT_hash_handle hh;
} Resource;

typedef struct ResourceTable {
    Resource *by_name;
    unsigned made; /* so often one has come: what somebody has counted of them is out of date */
} ResourceTable;

void resource_table_done(ResourceTable *t);
Resource *resource_find(const ResourceTable *t, const char *name); /* NULL = there is none */
/* Makes it, or changes its capacity; 0 removes it. 0 or -ENOMEM. */
int resource_configure(ResourceTable *t, const char *name, uint32_t capacity);
/* Walk them, by name: NULL begins, NULL ends. */
Resource *resource_next(const ResourceTable *t, const Resource *r);

/* Whether they could all be had if nothing else ran. 0, or -EREMOTE with NoSuchResource or
 * InvalidOption. */
int resource_check(const ResourceTable *t, const TokenList *wanted, Error *error);
/* Whether they could all be had if nothing else ran. */
bool resource_are_there(const ResourceTable *t, const TokenList *wanted);
/* Whether all are free now. On false *ret_lacking is the first that is not, with NULL where there
 * is no such resource. */
bool resource_are_free(const ResourceTable *t, const TokenList *wanted,
                       const TokenClaim **ret_lacking);
/* Takes them, be they free or not: a task of an earlier daemon may hold them already. 0 or -ENOMEM.
 */
int resource_take(ResourceTable *t, const TokenList *wanted);
void resource_give_back(ResourceTable *t, const TokenList *held);
