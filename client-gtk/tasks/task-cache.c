#include "client-gtk/tasks/task-cache.h"

struct TaskCache {
    GHashTable *known; /* id to Known: all that live */
    GQueue recent;     /* a reference for each time that one was asked for, the last first */
};

typedef struct Known {
    TaskCache *cache; /* not owned */
    guint64 id;
    TaskItem *item; /* not owned */
} Known;

/* The last reference is gone. */
static void on_gone(gpointer userdata, GObject *where_it_was) {
    Known *known = userdata;

    g_hash_table_remove(known->cache->known, &known->id);
}

static Known *known_new(TaskCache *cache, guint64 id, TaskItem *item) {
    Known *known = g_new(Known, 1);

    *known = (Known){.cache = cache, .id = id, .item = item};
    g_object_weak_ref(G_OBJECT(item), on_gone, known);
    return known;
}

TaskCache *task_cache_new(void) {
    TaskCache *self = g_new0(TaskCache, 1);

    self->known = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    g_queue_init(&self->recent);
    return self;
}

void task_cache_free(TaskCache *self) {
    GHashTableIter iter;
    Known *known;

    g_queue_clear_full(&self->recent, g_object_unref);
    g_hash_table_iter_init(&iter, self->known);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&known))
        g_object_weak_unref(G_OBJECT(known->item), on_gone, known);
    g_hash_table_unref(self->known);
    g_free(self);
}

TaskItem *task_cache_peek(TaskCache *self, guint64 id) {
    Known *known = g_hash_table_lookup(self->known, &id);

    return known ? known->item : NULL;
}

static void remember(TaskCache *self, TaskItem *item) {
    g_queue_push_head(&self->recent, g_object_ref(item));
    if (self->recent.length > LONGRUN_TASK_CACHE_MAX)
        g_object_unref(g_queue_pop_tail(&self->recent));
}

TaskItem *task_cache_get(TaskCache *self, guint64 id, TaskState state) {
    TaskItem *item = task_cache_peek(self, id);

    if (item) {
        g_object_ref(item);
    } else {
        item = task_item_new(id, state);
        Known *known = known_new(self, id, item);
        g_hash_table_insert(self->known, &known->id, known);
    }
    remember(self, item);
    return item;
}

guint task_cache_size(TaskCache *self) {
    return g_hash_table_size(self->known);
}

void task_cache_foreach(TaskCache *self, void (*func)(TaskItem *item, gpointer userdata),
                        gpointer userdata) {
    GHashTableIter iter;
    Known *known;

    g_hash_table_iter_init(&iter, self->known);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&known))
        func(known->item, userdata);
}
