#include "client-gtk/messages/message-item.h"

struct _MessageItem {
    GObject parent_instance;

    char *id, *peer, *content;
    guint64 time;
    gboolean sent, delivered;
};

G_DEFINE_FINAL_TYPE(MessageItem, message_item, G_TYPE_OBJECT)

enum {
    PROP_DELIVERED = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

/* ---- what is known ---- */

const char *message_item_get_id(MessageItem *self) {
    return self->id;
}

const char *message_item_get_peer(MessageItem *self) {
    return self->peer;
}

const char *message_item_get_content(MessageItem *self) {
    return self->content;
}

gboolean message_item_get_sent(MessageItem *self) {
    return self->sent;
}

guint64 message_item_get_time(MessageItem *self) {
    return self->time;
}

gboolean message_item_get_delivered(MessageItem *self) {
    return self->delivered;
}

static gboolean is_same(MessageItem *a, MessageItem *b) {
    return a->sent == b->sent && a->time == b->time && g_str_equal(a->peer, b->peer) &&
           g_str_equal(a->content, b->content);
}

gboolean message_item_update(MessageItem *self, MessageItem *other) {
    if (!is_same(self, other))
        return FALSE;
    if (self->delivered != other->delivered) {
        self->delivered = other->delivered;
        g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_DELIVERED]);
    }
    return TRUE;
}

/* ---- the list ---- */

static const char *key_of(gpointer item) {
    return message_item_get_id(item);
}

ItemList *message_list_new(void) {
    return item_list_new(LONGRUN_TYPE_MESSAGE_ITEM, key_of);
}

/* Takes item; gives the one of the list when it is the same message. */
static MessageItem *known_or_new(ItemList *list, MessageItem *item, GHashTable *seen) {
    MessageItem *known = item_list_find(list, item->id);

    if (!known || g_hash_table_contains(seen, known) || !message_item_update(known, item))
        return item;
    g_object_unref(item);
    return g_object_ref(known);
}

static GPtrArray *read_messages(ItemList *list, GVariant *messages) {
    GPtrArray *items = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    GVariantIter iter;
    GVariant *values;

    g_variant_iter_init(&iter, messages);
    while (g_variant_iter_loop(&iter, "@a{sv}", &values)) {
        MessageItem *item = message_item_new(values);

        if (!item)
            continue;
        item = known_or_new(list, item, seen);
        g_hash_table_add(seen, item);
        g_ptr_array_add(items, item);
    }
    return items;
}

/* Takes items; gives them behind those that are known and older than the first of them. */
static GPtrArray *with_older(ItemList *list, GPtrArray *items) {
    guint n = items->len > 0 ? item_list_position(list, message_item_get_id(items->pdata[0])) : 0;
    GPtrArray *all;

    if (n == 0 || n == G_MAXUINT)
        return items;
    all = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(all, g_object_ref(item_list_get(list, i)));
    g_ptr_array_extend_and_steal(all, items);
    return all;
}

void message_list_take(ItemList *list, GVariant *messages, MessageListPart part) {
    GPtrArray *items = read_messages(list, messages);

    if (part == MESSAGE_LIST_LAST)
        items = with_older(list, items);
    if (items->len > ITEM_LIST_MAX)
        g_ptr_array_remove_range(items, 0, items->len - ITEM_LIST_MAX);
    item_list_replace(list, items);
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_DELIVERED)
        g_value_set_boolean(value, LONGRUN_MESSAGE_ITEM(object)->delivered);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void finalize(GObject *object) {
    MessageItem *self = LONGRUN_MESSAGE_ITEM(object);

    g_free(self->id);
    g_free(self->peer);
    g_free(self->content);
    G_OBJECT_CLASS(message_item_parent_class)->finalize(object);
}

static void message_item_class_init(MessageItemClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_DELIVERED] = g_param_spec_boolean("delivered", NULL, NULL, FALSE,
                                                      G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void message_item_init(MessageItem *self) {
}

static char *text_of(GVariant *values, const char *key) {
    char *text = NULL;

    g_variant_lookup(values, key, "s", &text);
    return text ? text : g_strdup("");
}

MessageItem *message_item_new(GVariant *values) {
    const char *id, *direction = "";
    MessageItem *self;

    if (!g_variant_lookup(values, "id", "&s", &id))
        return NULL;
    self = g_object_new(LONGRUN_TYPE_MESSAGE_ITEM, NULL);
    self->id = g_strdup(id);
    self->peer = text_of(values, "peer");
    self->content = text_of(values, "content");
    g_variant_lookup(values, "direction", "&s", &direction);
    self->sent = g_str_equal(direction, "sent");
    g_variant_lookup(values, "timestamp", "t", &self->time);
    g_variant_lookup(values, "delivered", "b", &self->delivered);
    return self;
}
