#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/filter.h"
#include "client-cli/json.h"

/* Lists of tasks as the daemon gives them: page by page. */

/* clang-format off */
#define LAST_OPTIONS                                                                               \
    {OPT_LAST, 'n', "last", "N", "of the ended tasks show the last N (20)"},                       \
    {OPT_ALL, 'a', "all", NULL, "show all ended tasks"}
/* clang-format on */

/* How many ended tasks LAST_OPTIONS ask for, UINT64_MAX = all. 0, or EXIT_USAGE after a message. */
int task_list_parse_last(const Invocation *inv, uint64_t *ret);

/* Which tasks are to be fetched, and what of them. */
typedef struct TaskQuery {
    sd_bus *bus;               /* not owned */
    const Filter *filter;      /* not owned */
    const char *const *fields; /* keys, NULL at the end; not owned. NULL: all */
    uint64_t last;             /* of those that have ended */
} TaskQuery;

/* Appends to the array active tasks, or those that have ended, as objects. *ret_more: ended ones
 * were left out. 0, or -errno after a message. */
int task_list_fetch(const TaskQuery *q, bool final, cJSON *tasks, bool *ret_more);
/* Takes the array and gives one that is sorted by id. A task that ended between two questions is in
 * both answers: the later one is kept. */
cJSON *task_list_sort(cJSON *tasks);
/* Both, as a fresh array, sorted by id. */
int task_list_fetch_all(const TaskQuery *q, cJSON **ret, bool *ret_more);
