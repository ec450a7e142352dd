#include "daemon/bus/absent-ids.h"

#include <errno.h>
#include <stdlib.h>

static int add(AbsentIds *a, uint64_t id) {
    /* Calls mostly name a task several times in a row, if they do at all. */
    if (a->n > 0 && a->ids[a->n - 1] == id)
        return 0;
    if (a->n == a->allocated) {
        size_t n = MAX(a->allocated * 2, (size_t)16);
        uint64_t *grown = realloc(a->ids, n * sizeof(uint64_t));
        if (!grown)
            return -ENOMEM;
        a->ids = grown;
        a->allocated = n;
    }
    a->ids[a->n++] = id;
    return 0;
}

int absent_ids_add(AbsentIds *a, const TaskTable *table, const uint64_t *ids, size_t n) {
    int r = 0;

    for (size_t i = 0; r >= 0 && i < n; i++)
        if (!task_table_find(table, ids[i]))
            r = add(a, ids[i]);
    return r;
}

static int compare_ids(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void absent_ids_sort(AbsentIds *a) {
    size_t kept = 0;

    if (a->n > 1)
        qsort(a->ids, a->n, sizeof(uint64_t), compare_ids);
    for (size_t i = 0; i < a->n; i++)
        if (kept == 0 || a->ids[i] != a->ids[kept - 1])
            a->ids[kept++] = a->ids[i];
    a->n = kept;
}

void absent_ids_done(AbsentIds *a) {
    free(a->ids);
    *a = (AbsentIds){};
}
