#include "tests/gtk/task-rig.h"

#include <gio/gio.h>
#include <sys/socket.h>

#include "client-gtk/base/daemon-link.h"
#include "tests/unit/unit.h"

#define ROOT_PATH "/org/longrun/Longrun1"
#define TASK_PATH ROOT_PATH "/task/42"

static gboolean on_list(DbusManager *manager, GDBusMethodInvocation *call, GVariant *filter,
                        TaskRig *self) {
    guint64 parent = 0;

    self->lists++;
    ck_assert(g_variant_lookup(filter, "parent", "t", &parent) && parent == TASK_RIG_ID);
    dbus_manager_complete_list_tasks(manager, call, self->children, 0);
    return TRUE;
}

void task_rig_set_children(TaskRig *self, const char *text) {
    if (self->children)
        g_variant_unref(self->children);
    self->children = g_variant_ref_sink(g_variant_new_parsed(text));
}

static gboolean on_timeout(gpointer unused) {
    return G_SOURCE_CONTINUE;
}

void task_rig_turn(void) {
    guint timer = g_timeout_add(20, on_timeout, NULL);

    g_main_context_iteration(NULL, TRUE);
    g_source_remove(timer);
}

static void on_ping(GObject *source, GAsyncResult *result, gpointer answered) {
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

    ck_assert_ptr_nonnull(reply);
    *(gboolean *)answered = TRUE;
}

/* Twice: what the first found under way may have asked for more. */
void task_rig_flush(TaskRig *self) {
    for (int i = 0; i < 2; i++) {
        gboolean answered = FALSE;

        g_dbus_connection_call(self->client, NULL, ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping",
                               NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_ping, &answered);
        UNTIL(answered);
    }
}

/* In the thread of the connection. */
static GDBusMessage *answer_for_missing(GDBusConnection *connection, GDBusMessage *message,
                                        gboolean incoming, gpointer userdata) {
    const char *path = g_dbus_message_get_path(message);
    g_autoptr(GDBusMessage) answer = NULL;
    TaskRig *self = userdata;

    if (!incoming || g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL)
        return message;
    for (guint i = 0; i < G_N_ELEMENTS(self->missing); i++) {
        g_autofree char *theirs = daemon_link_task_path(self->missing[i]);

        if (self->missing[i] == 0 || !g_str_equal(path, theirs))
            continue;
        answer = g_dbus_message_new_method_error_literal(
            message, "org.longrun.Longrun1.Error.NoSuchTask", "There is no such task");
        g_dbus_connection_send_message(connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
                                       NULL);
        g_object_unref(message);
        return NULL;
    }
    return message;
}

static GDBusConnection *connect_end(int fd) {
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, NULL);
    g_autoptr(GSocketConnection) stream = g_socket_connection_factory_create_connection(socket);
    GDBusConnection *end = g_dbus_connection_new_sync(
        G_IO_STREAM(stream), NULL, G_DBUS_CONNECTION_FLAGS_NONE, NULL, NULL, NULL);

    ck_assert_ptr_nonnull(end);
    return end;
}

TaskRig *task_rig_new(void) {
    TaskRig *self = g_new0(TaskRig, 1);
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    self->client = connect_end(fds[0]);
    self->daemon = connect_end(fds[1]);
    g_dbus_connection_add_filter(self->daemon, answer_for_missing, self, NULL);
    self->task = dbus_task_skeleton_new();
    self->manager = dbus_manager_skeleton_new();
    task_rig_set_children(self, "@aa{sv} []");
    dbus_task_set_label(self->task, "a task");
    dbus_task_set_kind(self->task, "command");
    dbus_task_set_state(self->task, "queued");
    g_signal_connect(self->manager, "handle-list-tasks", G_CALLBACK(on_list), self);
    ck_assert(g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->task), self->daemon,
                                               TASK_PATH, NULL));
    ck_assert(g_dbus_interface_skeleton_export(G_DBUS_INTERFACE_SKELETON(self->manager),
                                               self->daemon, ROOT_PATH, NULL));
    return self;
}

void task_rig_remove(TaskRig *self, guint64 id) {
    for (guint i = 0; i < G_N_ELEMENTS(self->missing); i++)
        if (self->missing[i] == 0) {
            self->missing[i] = id;
            return;
        }
    ck_abort_msg("too many are missing");
}

void task_rig_free(TaskRig *self) {
    g_dbus_connection_close_sync(self->client, NULL, NULL);
    g_dbus_connection_close_sync(self->daemon, NULL, NULL);
    g_object_unref(self->task);
    g_object_unref(self->manager);
    g_object_unref(self->client);
    g_object_unref(self->daemon);
    g_variant_unref(self->children);
    g_free(self);
}
