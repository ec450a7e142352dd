#include "client-gtk/messages/conversation.h"

struct _Conversation {
    GObject parent_instance;

    char *peer;
    ItemList *messages;
    char *problem, *draft, *sending, *place;
    guint limit;
    gboolean loaded, loading;
};

G_DEFINE_FINAL_TYPE(Conversation, conversation, G_TYPE_OBJECT)

static guint changed_signal;

static void changed(Conversation *self) {
    g_signal_emit(self, changed_signal, 0);
}

static gboolean set_text(char **text, const char *to) {
    if (g_strcmp0(*text, to) == 0)
        return FALSE;
    g_free(*text);
    *text = g_strdup(to);
    return TRUE;
}

const char *conversation_get_peer(Conversation *self) {
    return self->peer;
}

ItemList *conversation_get_messages(Conversation *self) {
    return self->messages;
}

/* ---- loads ---- */

/* Id of the last message to us, "" without one. */
static char *last_received(Conversation *self) {
    for (guint i = item_list_size(self->messages); i > 0; i--) {
        MessageItem *item = item_list_get(self->messages, i - 1);
        if (!message_item_get_sent(item))
            return g_strdup(message_item_get_id(item));
    }
    return g_strdup("");
}

gboolean conversation_take(Conversation *self, GVariant *messages, MessageListPart part) {
    g_autofree char *before = last_received(self), *after = NULL;
    gboolean known = self->loaded, told = FALSE;

    told = set_text(&self->problem, NULL) || !self->loaded;
    self->loaded = TRUE;
    message_list_take(self->messages, messages, part);
    after = last_received(self);
    if (told)
        changed(self);
    /* When the last one was deleted, the one before it is known already. */
    return known && after[0] && !g_str_equal(before, after) &&
           (!before[0] || item_list_find(self->messages, before));
}

gboolean conversation_get_loaded(Conversation *self) {
    return self->loaded;
}

gboolean conversation_get_loading(Conversation *self) {
    return self->loading;
}

void conversation_set_loading(Conversation *self, gboolean loading) {
    if (self->loading == loading)
        return;
    self->loading = loading;
    changed(self);
}

const char *conversation_get_problem(Conversation *self) {
    return self->problem;
}

void conversation_set_problem(Conversation *self, const char *problem) {
    if (set_text(&self->problem, problem))
        changed(self);
}

guint conversation_get_limit(Conversation *self) {
    return self->limit;
}

gboolean conversation_raise_limit(Conversation *self) {
    if (item_list_size(self->messages) < self->limit || self->limit >= CONVERSATION_LIMIT_MAX)
        return FALSE;
    self->limit = MIN(self->limit * 4, CONVERSATION_LIMIT_MAX);
    return TRUE;
}

/* ---- what is written ---- */

const char *conversation_get_draft(Conversation *self) {
    return self->draft;
}

void conversation_set_draft(Conversation *self, const char *text) {
    if (set_text(&self->draft, text))
        changed(self);
}

const char *conversation_get_sending(Conversation *self) {
    return self->sending;
}

void conversation_set_sending(Conversation *self, const char *text) {
    if (set_text(&self->sending, text))
        changed(self);
}

void conversation_sending_failed(Conversation *self) {
    g_autofree char *text = g_steal_pointer(&self->sending), *all = NULL;

    if (!text)
        return;
    all = g_strconcat(text, self->draft[0] ? " " : "", self->draft, NULL);
    set_text(&self->draft, all);
    changed(self);
}

/* ---- the place ---- */

const char *conversation_get_place(Conversation *self) {
    return self->place;
}

void conversation_set_place(Conversation *self, const char *id) {
    set_text(&self->place, id);
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    Conversation *self = LONGRUN_CONVERSATION(object);

    g_object_unref(self->messages);
    g_free(self->peer);
    g_free(self->problem);
    g_free(self->draft);
    g_free(self->sending);
    g_free(self->place);
    G_OBJECT_CLASS(conversation_parent_class)->finalize(object);
}

static void conversation_class_init(ConversationClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void conversation_init(Conversation *self) {
    self->messages = message_list_new();
    self->limit = CONVERSATION_LIMIT;
    self->draft = g_strdup("");
}

Conversation *conversation_new(const char *peer) {
    Conversation *self = g_object_new(LONGRUN_TYPE_CONVERSATION, NULL);

    self->peer = g_strdup(peer);
    return self;
}
