#include "daemon/shim/keeper-table.h"

#include <stdlib.h>

#include "common/cleanup.h"

void keeper_table_done(KeeperTable *t) {
    for (size_t i = 0; i < t->count; i++)
        close_fd(t->shims[i].pidfd);
    free(t->shims);
    *t = (KeeperTable){};
}

int keeper_table_reserve(KeeperTable *t) {
    if (t->count < t->allocated)
        return 0;
    size_t n = MAX(t->allocated * 2, (size_t)64);
    KeeperShim *grown = realloc(t->shims, n * sizeof(KeeperShim));
    if (!grown)
        return -ENOMEM;
    t->shims = grown;
    t->allocated = n;
    return 0;
}

/* Index of the first whose id is not below this. */
static size_t lower_bound(const KeeperTable *t, uint64_t id) {
    size_t low = 0, high = t->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->shims[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void keeper_table_add(KeeperTable *t, uint64_t id, pid_t pid, int pidfd) {
    size_t i = lower_bound(t, id);

    memmove(t->shims + i + 1, t->shims + i, (t->count - i) * sizeof(KeeperShim));
    t->shims[i] = (KeeperShim){.id = id, .pid = pid, .pidfd = pidfd};
    t->count++;
    if (pid == 0)
        t->n_lost++;
}

KeeperShim *keeper_table_find(KeeperTable *t, uint64_t id) {
    size_t i = lower_bound(t, id);

    return i < t->count && t->shims[i].id == id ? t->shims + i : NULL;
}

KeeperShim *keeper_table_find_pid(KeeperTable *t, pid_t pid) {
    for (size_t i = 0; i < t->count; i++)
        if (t->shims[i].pid == pid)
            return t->shims + i;
    return NULL;
}

const KeeperShim *keeper_table_after(const KeeperTable *t, uint64_t id) {
    size_t i = id == UINT64_MAX ? t->count : lower_bound(t, id + 1);

    return i < t->count ? t->shims + i : NULL;
}

void keeper_table_remove(KeeperTable *t, KeeperShim *s) {
    size_t i = (size_t)(s - t->shims);

    if (s->pid == 0)
        t->n_lost--;
    close_fd(s->pidfd);
    t->count--;
    memmove(s, s + 1, (t->count - i) * sizeof(KeeperShim));
}

void keeper_table_set_lost(KeeperTable *t, KeeperShim *s) {
    if (s->pid > 0)
        t->n_lost++;
    s->pid = 0;
    s->pidfd = close_fd(s->pidfd);
}
