#include "client-gtk/messages/chat-client.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/messages/chat-client-private.h"

#define POLL_MIN_MSEC 100
#define POLL_MAX_MSEC (60 * 60 * 1000)

G_DEFINE_FINAL_TYPE(ChatClient, chat_client, G_TYPE_OBJECT)

enum {
    SIGNAL_CHANGED,
    SIGNAL_ADDED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

gboolean chat_client_is_ready(ChatClient *self) {
    return self->running && self->backend && self->messenger;
}

Conversation *chat_client_conversation_of(ChatClient *self, const char *peer) {
    return conversations_get(self->conversations, peer, self->peer);
}

/* ---- how things are ---- */

static const char *problem_now(ChatClient *self) {
    Conversation *c = chat_client_get_conversation(self);
    const char *problem = c ? conversation_get_problem(c) : NULL;

    return problem ? problem : self->friends_problem;
}

static void update_status(ChatClient *self) {
    const char *problem = problem_now(self);
    g_autofree char *text = NULL;

    if (self->state == CHAT_OFFLINE)
        text = g_strdup(_("⚠️ Backend offline!"));
    else if (self->state == CHAT_ABSENT)
        text = g_strdup(_("The daemon is not running."));
    else if (problem)
        /* Translators: %s is what has failed and why, in words of the daemon */
        text = g_strdup_printf(_("Error: %s"), problem);
    else if (self->state == CHAT_ONLINE)
        text = g_strdup(_("Connected to backend"));
    else
        text = g_strdup(chat_client_get_reason(self)[0] ? chat_client_get_reason(self)
                                                        : _("Connecting…"));
    chat_status_set(self->status, text);
}

static ChatState state_now(ChatClient *self) {
    const char *state = self->backend ? dbus_backend_get_state(self->backend) : NULL;

    if (!self->running)
        return CHAT_ABSENT;
    if (g_strcmp0(state, "online") == 0)
        return CHAT_ONLINE;
    return g_strcmp0(state, "offline") == 0 ? CHAT_OFFLINE : CHAT_UNKNOWN;
}

/* ---- polls ---- */

/* The daemon polls for ours, unless another client has taken its own. It says nothing when what
 * could not be loaded once is as it was before: then we ask, too. */
static gboolean on_poll(gpointer userdata) {
    ChatClient *self = userdata;
    Conversation *c = chat_client_get_conversation(self);

    if (c && (conversation_get_problem(c) ||
              g_strcmp0(dbus_messenger_get_current_peer(self->messenger), self->peer) != 0))
        chat_client_load_messages(self, c);
    return G_SOURCE_CONTINUE;
}

static guint poll_msec(ChatClient *self) {
    if (!self->shown || !self->peer || self->settle || self->state != CHAT_ONLINE ||
        !chat_client_is_ready(self) || !dbus_backend_get_polling(self->backend))
        return 0;
    return (guint)CLAMP(dbus_backend_get_poll_interval(self->backend) / 1000, POLL_MIN_MSEC,
                        POLL_MAX_MSEC);
}

static void update_poll(ChatClient *self) {
    guint msec = poll_msec(self);

    if (msec == self->poll_msec)
        return;
    g_clear_handle_id(&self->poll, g_source_remove);
    self->poll_msec = msec;
    if (msec > 0)
        self->poll = g_timeout_add(msec, on_poll, self);
}

/* ---- loads ---- */

static void load(ChatClient *self) {
    Conversation *c = chat_client_get_conversation(self);

    if (!self->shown || !chat_client_is_ready(self))
        return;
    chat_client_load_friends(self);
    if (c && !self->settle)
        chat_client_load_messages(self, c);
}

/* State says what it has found. */
static void check(ChatClient *self) {
    if (chat_client_is_ready(self))
        dbus_backend_call_check_status(self->backend, self->cancellable, NULL, NULL);
}

void chat_client_changed(ChatClient *self) {
    ChatState before = self->state;

    self->state = state_now(self);
    /* What was said last, e.g. why a poll has failed, is not the news any more. */
    if (self->state != before && self->state != CHAT_ONLINE)
        chat_status_unsay(self->status);
    update_status(self);
    update_poll(self);
    if (self->state == CHAT_ONLINE && before != CHAT_ONLINE)
        load(self);
    g_signal_emit(self, signals[SIGNAL_CHANGED], 0);
}

void chat_client_reload(ChatClient *self) {
    check(self);
    load(self);
}

void chat_client_set_running(ChatClient *self, gboolean running) {
    if (self->running == running)
        return;
    self->running = running;
    chat_client_changed(self);
    load(self);
}

static void mark_read(ChatClient *self) {
    FriendItem *friend = item_list_find(self->friends, self->peer);

    if (friend && self->shown)
        friend_item_set_unread(friend, FALSE);
}

void chat_client_set_shown(ChatClient *self, gboolean shown) {
    if (self->shown == shown)
        return;
    self->shown = shown;
    mark_read(self);
    update_poll(self);
    load(self);
    if (shown && self->state == CHAT_UNKNOWN)
        check(self);
}

/* ---- whom one looks at ---- */

static gboolean on_settled(gpointer userdata) {
    ChatClient *self = userdata;
    Conversation *c = chat_client_get_conversation(self);

    self->settle = 0;
    update_poll(self);
    if (c && self->shown)
        chat_client_load_messages(self, c);
    return G_SOURCE_REMOVE;
}

void chat_client_set_peer(ChatClient *self, const char *peer) {
    if (g_strcmp0(self->peer, peer) == 0)
        return;
    g_free(self->peer);
    self->peer = g_strdup(peer);
    g_clear_handle_id(&self->settle, g_source_remove);
    if (peer)
        self->settle = g_timeout_add(CHAT_SETTLE_MSEC, on_settled, self);
    mark_read(self);
    chat_client_changed(self);
}

const char *chat_client_get_peer(ChatClient *self) {
    return self->peer;
}

/* Somebody who is no friend any more may be one again: the choice stays. */
Conversation *chat_client_get_conversation(ChatClient *self) {
    if (!self->peer || (self->friends_loaded && !item_list_find(self->friends, self->peer)))
        return NULL;
    return chat_client_conversation_of(self, self->peer);
}

/* ---- what it is made of ---- */

const char *chat_client_get_name(ChatClient *self) {
    return self->name;
}

ChatState chat_client_get_state(ChatClient *self) {
    return self->state;
}

const char *chat_client_get_reason(ChatClient *self) {
    const char *reason = self->backend ? dbus_backend_get_reason(self->backend) : NULL;

    return reason ? reason : "";
}

ChatStatus *chat_client_get_status(ChatClient *self) {
    return self->status;
}

ItemList *chat_client_get_friends(ChatClient *self) {
    return self->friends;
}

gboolean chat_client_get_friends_loaded(ChatClient *self) {
    return self->friends_loaded;
}

const char *chat_client_get_friends_problem(ChatClient *self) {
    return self->friends_problem;
}

/* ---- proxies ---- */

static void on_both_there(ChatClient *self) {
    if (!self->backend || !self->messenger)
        return;
    /* The daemon answers each call in the end; a backend may take as long as its timeout says. */
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(self->backend), G_MAXINT);
    g_dbus_proxy_set_default_timeout(G_DBUS_PROXY(self->messenger), G_MAXINT);
    chat_client_listen(self);
    g_signal_connect_swapped(self->backend, "g-properties-changed", G_CALLBACK(chat_client_changed),
                             self);
    chat_client_changed(self);
    if (self->state != CHAT_ONLINE)
        load(self);
    if (self->state == CHAT_UNKNOWN && self->shown)
        check(self);
}

static void on_failed(ChatClient *self, const GError *error) {
    if (!daemon_error_is_cancelled(error))
        chat_status_set(self->status, error->message);
}

static void on_backend(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    DbusBackend *backend = dbus_backend_proxy_new_finish(result, &error);
    ChatClient *self = userdata;

    if (!backend) {
        on_failed(self, error);
        return;
    }
    self->backend = backend;
    on_both_there(self);
}

static void on_messenger(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    DbusMessenger *messenger = dbus_messenger_proxy_new_finish(result, &error);
    ChatClient *self = userdata;

    if (!messenger) {
        on_failed(self, error);
        return;
    }
    self->messenger = messenger;
    on_both_there(self);
}

/* ---- the object ---- */

/* Nobody looks any more: the daemon need not go on asking for us. */
static void let_go(ChatClient *self) {
    GDBusProxy *proxy = G_DBUS_PROXY(self->messenger);

    if (!proxy || !self->running || !self->peer ||
        g_strcmp0(dbus_messenger_get_current_peer(self->messenger), self->peer) != 0)
        return;
    g_dbus_connection_call(g_dbus_proxy_get_connection(proxy), g_dbus_proxy_get_name(proxy),
                           self->path, "org.freedesktop.DBus.Properties", "Set",
                           g_variant_new("(ssv)", "org.longrun.Longrun1.Messenger", "CurrentPeer",
                                         g_variant_new_string("")),
                           NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

static void dispose(GObject *object) {
    ChatClient *self = LONGRUN_CHAT_CLIENT(object);

    let_go(self);
    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->settle, g_source_remove);
    g_clear_handle_id(&self->poll, g_source_remove);
    if (self->backend)
        g_signal_handlers_disconnect_by_data(self->backend, self);
    if (self->messenger)
        g_signal_handlers_disconnect_by_data(self->messenger, self);
    g_clear_object(&self->backend);
    g_clear_object(&self->messenger);
    G_OBJECT_CLASS(chat_client_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    ChatClient *self = LONGRUN_CHAT_CLIENT(object);

    g_object_unref(self->cancellable);
    g_object_unref(self->status);
    g_object_unref(self->friends);
    conversations_free(self->conversations);
    g_free(self->friends_problem);
    g_free(self->peer);
    g_free(self->name);
    g_free(self->path);
    G_OBJECT_CLASS(chat_client_parent_class)->finalize(object);
}

static void chat_client_class_init(ChatClientClass *class) {
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[SIGNAL_CHANGED] =
        g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[SIGNAL_ADDED] = g_signal_new("added", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
}

static void chat_client_init(ChatClient *self) {
    self->cancellable = g_cancellable_new();
    self->status = chat_status_new();
    self->friends = friend_list_new();
    self->conversations = conversations_new();
    update_status(self);
}

ChatClient *chat_client_new(GDBusConnection *connection, const char *bus_name, const char *name,
                            const char *path) {
    ChatClient *self = g_object_new(LONGRUN_TYPE_CHAT_CLIENT, NULL);

    self->name = g_strdup(name);
    self->path = g_strdup(path);
    dbus_backend_proxy_new(connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, bus_name, path,
                           self->cancellable, on_backend, self);
    dbus_messenger_proxy_new(connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, bus_name, path,
                             self->cancellable, on_messenger, self);
    return self;
}
