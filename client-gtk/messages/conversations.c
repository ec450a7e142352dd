#include "client-gtk/messages/conversations.h"

struct Conversations {
    GHashTable *by_peer; /* the keys are of the values */
    GQueue used;         /* the same, the last used first; not owned */
};

static gboolean is_needed(Conversation *c, const char *keep) {
    return g_strcmp0(conversation_get_peer(c), keep) == 0 || conversation_get_draft(c)[0] ||
           conversation_get_sending(c) || conversation_get_loading(c);
}

static void forget_one(Conversations *self, const char *keep) {
    for (GList *l = self->used.tail; l; l = l->prev) {
        Conversation *c = l->data;
        if (!is_needed(c, keep)) {
            g_queue_delete_link(&self->used, l);
            g_hash_table_remove(self->by_peer, conversation_get_peer(c));
            return;
        }
    }
}

Conversation *conversations_get(Conversations *self, const char *peer, const char *keep) {
    Conversation *c = g_hash_table_lookup(self->by_peer, peer);

    if (c) {
        g_queue_remove(&self->used, c);
        g_queue_push_head(&self->used, c);
        return c;
    }
    if (g_hash_table_size(self->by_peer) >= CONVERSATIONS_MAX)
        forget_one(self, keep);
    c = conversation_new(peer);
    g_hash_table_insert(self->by_peer, (gpointer)conversation_get_peer(c), c);
    g_queue_push_head(&self->used, c);
    return c;
}

guint conversations_size(Conversations *self) {
    return g_hash_table_size(self->by_peer);
}

Conversations *conversations_new(void) {
    Conversations *self = g_new0(Conversations, 1);

    self->by_peer = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_object_unref);
    g_queue_init(&self->used);
    return self;
}

void conversations_free(Conversations *self) {
    g_queue_clear(&self->used);
    g_hash_table_unref(self->by_peer);
    g_free(self);
}
