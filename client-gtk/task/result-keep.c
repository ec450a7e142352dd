#include "client-gtk/task/result-keep.h"

#include <string.h>

typedef struct Kept {
    guint64 id;
    char *result;
    gsize size;
} Kept;

static GQueue kept = G_QUEUE_INIT; /* the newest first */
static gsize bytes;

static void drop(Kept *k) {
    bytes -= k->size;
    g_free(k->result);
    g_free(k);
}

void result_keep(guint64 id, const char *result) {
    Kept *k = g_new0(Kept, 1);

    k->id = id;
    k->result = g_strdup(result);
    k->size = strlen(result);
    bytes += k->size;
    g_queue_push_head(&kept, k);
    while (kept.length > LONGRUN_RESULTS_KEPT || (kept.length > 1 && bytes > LONGRUN_RESULTS_BYTES))
        drop(g_queue_pop_tail(&kept));
}

const char *result_keep_find(guint64 id) {
    for (GList *l = kept.head; l; l = l->next)
        if (((Kept *)l->data)->id == id)
            return ((Kept *)l->data)->result;
    return NULL;
}

void result_keep_clear(void) {
    while (kept.length > 0)
        drop(g_queue_pop_tail(&kept));
}
