#include "client-gtk/messages/chat-status.h"

struct _ChatStatus {
    GObject parent_instance;

    char *text, *said;
    guint timer;
};

G_DEFINE_FINAL_TYPE(ChatStatus, chat_status, G_TYPE_OBJECT)

enum {
    PROP_TEXT = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static void notify(ChatStatus *self) {
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_TEXT]);
}

const char *chat_status_get_text(ChatStatus *self) {
    return self->said ? self->said : self->text;
}

void chat_status_set(ChatStatus *self, const char *text) {
    if (g_str_equal(self->text, text))
        return;
    g_free(self->text);
    self->text = g_strdup(text);
    if (!self->said)
        notify(self);
}

void chat_status_unsay(ChatStatus *self) {
    g_clear_handle_id(&self->timer, g_source_remove);
    if (!self->said)
        return;
    g_clear_pointer(&self->said, g_free);
    notify(self);
}

static gboolean on_time(gpointer userdata) {
    ChatStatus *self = userdata;

    self->timer = 0;
    chat_status_unsay(self);
    return G_SOURCE_REMOVE;
}

void chat_status_say(ChatStatus *self, guint msec, char *text) {
    g_clear_handle_id(&self->timer, g_source_remove);
    g_free(self->said);
    self->said = text;
    self->timer = g_timeout_add(msec, on_time, self);
    notify(self);
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_TEXT)
        g_value_set_string(value, chat_status_get_text(LONGRUN_CHAT_STATUS(object)));
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void dispose(GObject *object) {
    g_clear_handle_id(&LONGRUN_CHAT_STATUS(object)->timer, g_source_remove);
    G_OBJECT_CLASS(chat_status_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    ChatStatus *self = LONGRUN_CHAT_STATUS(object);

    g_free(self->text);
    g_free(self->said);
    G_OBJECT_CLASS(chat_status_parent_class)->finalize(object);
}

static void chat_status_class_init(ChatStatusClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_TEXT] =
        g_param_spec_string("text", NULL, NULL, "", G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
}

static void chat_status_init(ChatStatus *self) {
    self->text = g_strdup("");
}

ChatStatus *chat_status_new(void) {
    return g_object_new(LONGRUN_TYPE_CHAT_STATUS, NULL);
}
