#include "client-gtk/tasks/task-index.h"

#include <string.h>

/* Packed as id and state, the oldest first: those that come while the window is open are added at
 * the end. */
#define STATE_BITS 4
#define STATE_UNKNOWN 15u

struct TaskIndex {
    GArray *packed; /* guint64 */
    TaskIndexChanged func;
    gpointer userdata;
};

static guint64 pack(TaskEntry e) {
    return e.id << STATE_BITS | (e.state < 0 ? STATE_UNKNOWN : (guint64)e.state);
}

static TaskEntry unpack(guint64 packed) {
    guint state = packed & STATE_UNKNOWN;

    return (TaskEntry){.id = packed >> STATE_BITS,
                       .state = state < _TASK_STATE_MAX ? (TaskState)state : _TASK_STATE_INVALID};
}

TaskIndex *task_index_new(TaskIndexChanged func, gpointer userdata) {
    TaskIndex *self = g_new0(TaskIndex, 1);

    self->packed = g_array_new(FALSE, FALSE, sizeof(guint64));
    self->func = func;
    self->userdata = userdata;
    return self;
}

void task_index_free(TaskIndex *self) {
    g_array_unref(self->packed);
    g_free(self);
}

/* ---- looking ---- */

guint task_index_size(const TaskIndex *self) {
    return self->packed->len;
}

static guint64 *packed_at(const TaskIndex *self, guint position) {
    return &g_array_index(self->packed, guint64, self->packed->len - 1 - position);
}

TaskEntry task_index_at(const TaskIndex *self, guint position) {
    return unpack(*packed_at(self, position));
}

gboolean task_index_find(const TaskIndex *self, guint64 id, guint *ret_position) {
    guint from = 0, to = self->packed->len;

    while (from < to) {
        guint middle = from + (to - from) / 2;
        if (task_index_at(self, middle).id > id)
            from = middle + 1;
        else
            to = middle;
    }
    *ret_position = from;
    return from < self->packed->len && task_index_at(self, from).id == id;
}

/* ---- changing ---- */

void task_index_set_state(TaskIndex *self, guint position, TaskState state) {
    TaskEntry e = task_index_at(self, position);

    e.state = state;
    *packed_at(self, position) = pack(e);
}

/* Room for so many before the row that is at position now. */
static void make_room(TaskIndex *self, guint position, guint n) {
    guint old = self->packed->len, after = old - position;

    g_array_set_size(self->packed, old + n);
    guint64 *data = &g_array_index(self->packed, guint64, 0);
    memmove(data + after + n, data + after, position * sizeof(guint64));
}

static void insert(TaskIndex *self, guint position, const TaskEntry *entries, guint n) {
    if (n == 0)
        return;
    make_room(self, position, n);
    for (guint i = 0; i < n; i++)
        *packed_at(self, position + i) = pack(entries[i]);
    self->func(self->userdata, position, 0, n);
}

void task_index_remove(TaskIndex *self, guint position, guint n) {
    if (n == 0)
        return;
    g_array_remove_range(self->packed, self->packed->len - position - n, n);
    self->func(self->userdata, position, n, 0);
}

/* How many from position on are newer than id, and in the part that is replaced. */
static guint count_newer(const TaskIndex *self, guint position, guint64 id) {
    guint end;

    (void)task_index_find(self, id, &end);
    return end > position ? end - position : 0;
}

/* How many of entries are newer than what is at position. */
static guint count_new(const TaskIndex *self, guint position, const TaskEntry *entries, guint n) {
    guint64 next = position < self->packed->len ? task_index_at(self, position).id : 0;
    guint i = 0;

    while (i < n && entries[i].id > next)
        i++;
    return i;
}

void task_index_replace(TaskIndex *self, guint64 top, guint64 bottom, const TaskEntry *entries,
                        guint n) {
    guint position, i = 0;

    (void)task_index_find(self, top, &position);
    while (i < n) {
        task_index_remove(self, position, count_newer(self, position, entries[i].id));
        guint added = count_new(self, position, entries + i, n - i);
        insert(self, position, entries + i, added);
        position += added;
        i += added;
        /* What is known already */
        for (; i < n && position < self->packed->len &&
               task_index_at(self, position).id == entries[i].id;
             i++, position++)
            if (entries[i].state >= 0)
                task_index_set_state(self, position, entries[i].state);
    }
    task_index_remove(self, position, count_newer(self, position, bottom));
}
