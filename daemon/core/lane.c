#include "daemon/core/lane.h"

int task_compare(const Task *a, const Task *b) {
    if (a->spec->priority != b->spec->priority)
        return a->spec->priority > b->spec->priority ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

RB_GENERATE_INTERNAL(TaskPlan, Task, plan, task_compare, _unused_ static)

void lane_link(Lane *l, Task *t) {
    RB_INSERT(TaskPlan, &l->tasks, t);
    if (!l->first || task_compare(t, l->first) < 0)
        l->first = t;
}

void lane_unlink(Lane *l, Task *t) {
    if (l->first == t)
        l->first = RB_NEXT(TaskPlan, &l->tasks, t);
    RB_REMOVE(TaskPlan, &l->tasks, t);
}

Task *lane_next(const Lane *l, const Task *t) {
    return t ? RB_NEXT(TaskPlan, &l->tasks, (Task *)t) : l->first;
}

/* FNV-1a. Two sets that have the same digest share a lane, where one waits behind the other: that
 * is slower, but not wrong. */
static uint64_t digest_bytes(uint64_t digest, const void *data, size_t size) {
    for (const unsigned char *p = data; size > 0; p++, size--)
        digest = (digest ^ *p) * UINT64_C(0x100000001b3);
    return digest;
}

uint64_t lane_digest(const TokenList *wanted) {
    uint64_t digest = UINT64_C(0xcbf29ce484222325);

    if (token_list_length(wanted) == 0)
        return 0;
    for (size_t i = 0; i < wanted->n; i++) {
        const TokenClaim *c = &wanted->claims[i];
        digest = digest_bytes(digest, c->name, strlen(c->name) + 1);
        digest = digest_bytes(digest, &c->amount, sizeof(c->amount));
    }
    return digest ?: 1;
}
