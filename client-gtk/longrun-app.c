#include "client-gtk/longrun-app.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/base/end-notifier.h"
#include "client-gtk/base/task-ids.h"
#include "client-gtk/demo/demo-window.h"
#include "client-gtk/main-window.h"
#include "client-gtk/start/start-window.h"
#include "client-gtk/widgets/toast.h"
#include "version.h"

struct _LongrunApp {
    AdwApplication parent_instance;

    DaemonLink *link;
    EndNotifier *notifier;
};

G_DEFINE_FINAL_TYPE(LongrunApp, longrun_app, ADW_TYPE_APPLICATION)

/* NULL: there is none. */
static MainWindow *find_main_window(LongrunApp *self) {
    GList *l;

    for (l = gtk_application_get_windows(GTK_APPLICATION(self)); l; l = l->next)
        if (LONGRUN_IS_MAIN_WINDOW(l->data))
            return l->data;
    return NULL;
}

/* One that nobody sees nobody could close, and the process would never end: a new one is shown. */
static MainWindow *main_window(LongrunApp *self) {
    MainWindow *window = find_main_window(self);

    if (!window) {
        window = main_window_new(GTK_APPLICATION(self), self->link);
        gtk_window_present(GTK_WINDOW(window));
    }
    return window;
}

/* ---- actions ---- */

static void on_show_task(GSimpleAction *action, GVariant *id, gpointer userdata) {
    MainWindow *window = main_window(userdata);

    main_window_show_task(window, g_variant_get_uint64(id));
    gtk_window_present(GTK_WINDOW(window));
}

/* A title is markup; a name may be anything. The main window may be closed by now. */
static void on_started(LongrunApp *self, guint64 id, const char *name) {
    g_autofree char *text = g_strdup_printf(_("“%s” was started"), name);
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    MainWindow *window = find_main_window(self);
    AdwToast *toast;

    if (!window)
        return;
    toast = adw_toast_new(escaped);
    adw_toast_set_button_label(toast, _("Show"));
    adw_toast_set_action_name(toast, "app.show-task");
    adw_toast_set_action_target_value(toast, g_variant_new_uint64(id));
    toast_show(GTK_WIDGET(window), toast);
}

static void on_start_task(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    LongrunApp *self = userdata;
    GtkWindow *window = start_window_new(GTK_APPLICATION(self), self->link);

    gtk_window_set_transient_for(window, GTK_WINDOW(main_window(self)));
    g_signal_connect_object(window, "started", G_CALLBACK(on_started), self, G_CONNECT_SWAPPED);
    gtk_window_present(window);
}

static void on_show_tasks(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    MainWindow *window = main_window(userdata);

    main_window_show_tasks(window);
    gtk_window_present(GTK_WINDOW(window));
}

static void on_demo(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    LongrunApp *self = userdata;

    gtk_window_present(demo_window_new(GTK_APPLICATION(self), self->link));
}

static void on_about(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    adw_show_about_window(gtk_application_get_active_window(userdata), "application-name",
                          "Longrun", "application-icon", APP_ID, "version", LONGRUN_VERSION,
                          "license-type", GTK_LICENSE_MIT_X11, "comments",
                          _("Long-running work in the background, and in sight"), NULL);
}

/* Each window gets to do what it does when it is closed, and may take others along; with the last
 * of them the process ends. */
static void on_quit(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    GList *windows = g_list_copy(gtk_application_get_windows(userdata));

    for (GList *l = windows; l; l = l->next)
        g_object_ref(l->data);
    for (GList *l = windows; l; l = l->next)
        gtk_window_close(l->data);
    g_list_free_full(windows, g_object_unref);
}

static const GActionEntry actions[] = {
    {.name = "show-task", .activate = on_show_task, .parameter_type = "t"},
    {.name = "show-tasks", .activate = on_show_tasks},
    {.name = "start-task", .activate = on_start_task},
    {.name = "demo", .activate = on_demo},
    {.name = "about", .activate = on_about},
    {.name = "quit", .activate = on_quit},
};

static void set_accels(LongrunApp *self) {
    static const char *const quit[] = {"<Control>q", NULL}, *const start[] = {"<Control>n", NULL};

    gtk_application_set_accels_for_action(GTK_APPLICATION(self), "app.quit", quit);
    gtk_application_set_accels_for_action(GTK_APPLICATION(self), "app.start-task", start);
}

/* ---- the command line ---- */

static const GOptionEntry options[] = {
    {"demo", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Show the demo"), NULL},
    {"new-task", 'n', 0, G_OPTION_ARG_NONE, NULL, N_("Open the window for a new task"), NULL},
    {"version", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Show the version"), NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, NULL, NULL, N_("[TASK-ID…]")},
    {NULL},
};

/* NULL and error, or the ids, which may be none. */
static GArray *ids_of(GVariantDict *dict, GError **error) {
    g_autofree const char **words = NULL;

    g_variant_dict_lookup(dict, G_OPTION_REMAINING, "^a&s", &words);
    return task_ids_parse(words, error);
}

/* What is wrong is said by the process that was called, before it asks the one that has the
 * windows. */
static int handle_local_options(GApplication *app, GVariantDict *dict) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) ids = NULL;

    if (g_variant_dict_contains(dict, "version")) {
        g_print("longrun-gtk " LONGRUN_VERSION "\n");
        return 0;
    }
    ids = ids_of(dict, &error);
    if (!ids) {
        g_printerr("longrun-gtk: %s\n", error->message);
        return 2;
    }
    return -1;
}

static void show_tasks(GApplication *app, const GArray *ids) {
    for (guint i = 0; i < ids->len; i++)
        g_action_group_activate_action(G_ACTION_GROUP(app), "show-task",
                                       g_variant_new_uint64(g_array_index(ids, guint64, i)));
}

static int command_line(GApplication *app, GApplicationCommandLine *line) {
    GVariantDict *dict = g_application_command_line_get_options_dict(line);
    g_autoptr(GArray) ids = ids_of(dict, NULL);
    gboolean demo = g_variant_dict_contains(dict, "demo");
    gboolean new_task = g_variant_dict_contains(dict, "new-task");

    if (!ids)
        return 2;
    if (!demo)
        g_application_activate(app);
    show_tasks(app, ids);
    if (demo)
        g_action_group_activate_action(G_ACTION_GROUP(app), "demo", NULL);
    if (new_task)
        g_action_group_activate_action(G_ACTION_GROUP(app), "start-task", NULL);
    return 0;
}

/* ---- whether somebody looks ---- */

static void on_look(LongrunApp *self) {
    GList *l = gtk_application_get_windows(GTK_APPLICATION(self));
    gboolean there = l != NULL;

    while (l && !gtk_window_is_active(l->data))
        l = l->next;
    end_notifier_set_away(self->notifier, there && !l);
}

static void window_added(GtkApplication *app, GtkWindow *window) {
    GTK_APPLICATION_CLASS(longrun_app_parent_class)->window_added(app, window);
    g_signal_connect_object(window, "notify::is-active", G_CALLBACK(on_look), app,
                            G_CONNECT_SWAPPED);
}

static void window_removed(GtkApplication *app, GtkWindow *window) {
    GTK_APPLICATION_CLASS(longrun_app_parent_class)->window_removed(app, window);
    g_signal_handlers_disconnect_by_func(window, on_look, app);
    on_look(LONGRUN_APP(app));
}

/* ---- the application ---- */

static void startup(GApplication *app) {
    LongrunApp *self = LONGRUN_APP(app);

    G_APPLICATION_CLASS(longrun_app_parent_class)->startup(app);
    gtk_window_set_default_icon_name(APP_ID);
    g_action_map_add_action_entries(G_ACTION_MAP(app), actions, G_N_ELEMENTS(actions), self);
    set_accels(self);
    daemon_link_open(self->link);
}

static void activate(GApplication *app) {
    gtk_window_present(GTK_WINDOW(main_window(LONGRUN_APP(app))));
}

static void dispose(GObject *object) {
    g_clear_object(&LONGRUN_APP(object)->notifier);
    g_clear_object(&LONGRUN_APP(object)->link);
    G_OBJECT_CLASS(longrun_app_parent_class)->dispose(object);
}

static void longrun_app_class_init(LongrunAppClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    GTK_APPLICATION_CLASS(class)->window_added = window_added;
    GTK_APPLICATION_CLASS(class)->window_removed = window_removed;
    G_APPLICATION_CLASS(class)->startup = startup;
    G_APPLICATION_CLASS(class)->activate = activate;
    G_APPLICATION_CLASS(class)->handle_local_options = handle_local_options;
    G_APPLICATION_CLASS(class)->command_line = command_line;
}

static void longrun_app_init(LongrunApp *self) {
    self->link = daemon_link_new();
    self->notifier = end_notifier_new(G_APPLICATION(self), self->link);
    g_application_add_main_option_entries(G_APPLICATION(self), options);
    g_application_set_option_context_summary(
        G_APPLICATION(self), _("The window of Longrun: what runs, and what has run"));
}

LongrunApp *longrun_app_new(void) {
    return g_object_new(LONGRUN_TYPE_APP, "application-id", APP_ID, "flags",
                        G_APPLICATION_HANDLES_COMMAND_LINE, "resource-base-path",
                        "/org/longrun/Longrun", NULL);
}
