#include "client-gtk/main-window.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backends-page.h"
#include "client-gtk/base/page-history.h"
#include "client-gtk/base/window-size.h"
#include "client-gtk/messages/messages-page.h"
#include "client-gtk/task/task-page.h"
#include "client-gtk/tasks/tasks-page.h"
#include "client-gtk/widgets/absence-bar.h"
#include "client-gtk/widgets/late-reveal.h"

struct _MainWindow {
    AdwApplicationWindow parent_instance;

    AdwLeaflet *leaflet;
    AdwViewStack *stack;
    AdwViewSwitcherTitle *switcher;
    AdwViewSwitcherBar *switcher_bar;
    AdwBin *task_place;
    AbsenceBar *absence;
    TasksPage *tasks;
    BackendsPage *backends;
    MessagesPage *messages;
    DaemonLink *link;
    PageHistory *history;
};

G_DEFINE_FINAL_TYPE(MainWindow, main_window, ADW_TYPE_APPLICATION_WINDOW)

/* ---- from page to page ---- */

/* The page of a task, or with 0 the lists. One that is left is gone, with its calls; the way back
 * makes it anew. The leaflet shows it until it is out of sight. */
static void show(MainWindow *self, guint64 id) {
    if (id > 0)
        adw_bin_set_child(self->task_place, task_page_new(self->link, id));
    adw_leaflet_set_visible_child_name(self->leaflet, id > 0 ? "task" : "lists");
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.back", id > 0);
}

static void on_leaflet_moved(MainWindow *self) {
    if (!adw_leaflet_get_child_transition_running(self->leaflet) &&
        page_history_current(self->history) == 0)
        adw_bin_set_child(self->task_place, NULL);
}

void main_window_show_task(MainWindow *self, guint64 id) {
    if (page_history_go(self->history, id))
        show(self, id);
}

static void show_page(MainWindow *self, const char *name) {
    page_history_clear(self->history);
    show(self, 0);
    adw_view_stack_set_visible_child_name(self->stack, name);
}

void main_window_show_tasks(MainWindow *self) {
    show_page(self, "tasks");
}

static void on_back(GtkWidget *widget, const char *action, GVariant *unused) {
    MainWindow *self = LONGRUN_MAIN_WINDOW(widget);

    show(self, page_history_back(self->history));
}

static void on_lists(GtkWidget *widget, const char *action, GVariant *unused) {
    main_window_show_tasks(LONGRUN_MAIN_WINDOW(widget));
}

static void on_page(GtkWidget *widget, const char *action, GVariant *name) {
    show_page(LONGRUN_MAIN_WINDOW(widget), g_variant_get_string(name, NULL));
}

static void on_back_button(GtkGestureClick *gesture, int n, double x, double y, MainWindow *self) {
    gtk_gesture_set_state(GTK_GESTURE(gesture), GTK_EVENT_SEQUENCE_CLAIMED);
    gtk_widget_activate_action(GTK_WIDGET(self), "win.back", NULL);
}

/* ---- keys of the page that is seen ---- */

static GtkWidget *visible_page(MainWindow *self) {
    GtkWidget *task = adw_bin_get_child(self->task_place);

    return page_history_current(self->history) ? task
                                               : adw_view_stack_get_visible_child(self->stack);
}

static gboolean on_page_key(GtkWidget *widget, GVariant *action, gpointer unused) {
    GtkWidget *page = visible_page(LONGRUN_MAIN_WINDOW(widget));

    return page && gtk_widget_activate_action(page, g_variant_get_string(action, NULL), NULL);
}

/* Back is where lines begin. */
static gboolean on_arrow(GtkWidget *widget, GVariant *right, gpointer unused) {
    gboolean rtl = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;

    return g_variant_get_boolean(right) == rtl &&
           gtk_widget_activate_action(widget, "win.back", NULL);
}

/* As bindings of the class they come last: whoever has the focus may use the key for something
 * else, an open search its Escape. */
static void add_keys(GtkWidgetClass *class) {
    gtk_widget_class_add_binding_action(class, GDK_KEY_Escape, 0, "win.back", NULL);
    gtk_widget_class_add_binding(class, GDK_KEY_Left, GDK_ALT_MASK, on_arrow, "b", FALSE);
    gtk_widget_class_add_binding(class, GDK_KEY_Right, GDK_ALT_MASK, on_arrow, "b", TRUE);
    gtk_widget_class_add_binding_action(class, GDK_KEY_Back, 0, "win.back", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_Home, GDK_ALT_MASK, "win.lists", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_w, GDK_CONTROL_MASK, "window.close", NULL);
    gtk_widget_class_add_binding_action(class, GDK_KEY_1, GDK_ALT_MASK, "win.page", "s", "tasks");
    gtk_widget_class_add_binding_action(class, GDK_KEY_2, GDK_ALT_MASK, "win.page", "s",
                                        "backends");
    gtk_widget_class_add_binding_action(class, GDK_KEY_3, GDK_ALT_MASK, "win.page", "s",
                                        "messages");
    gtk_widget_class_add_binding(class, GDK_KEY_f, GDK_CONTROL_MASK, on_page_key, "s",
                                 "page.search");
    gtk_widget_class_add_binding(class, GDK_KEY_F5, 0, on_page_key, "s", "page.reload");
    gtk_widget_class_add_binding(class, GDK_KEY_r, GDK_CONTROL_MASK, on_page_key, "s",
                                 "page.reload");
}

/* ---- its size ---- */

static void load_size(MainWindow *self) {
    g_autofree char *path = window_size_path();
    WindowSize size = {};

    gtk_window_get_default_size(GTK_WINDOW(self), &size.width, &size.height);
    window_size_load(&size, path);
    gtk_window_set_default_size(GTK_WINDOW(self), size.width, size.height);
    if (size.maximized)
        gtk_window_maximize(GTK_WINDOW(self));
}

static void save_size(MainWindow *self) {
    g_autofree char *path = window_size_path();
    WindowSize size = {.maximized = gtk_window_is_maximized(GTK_WINDOW(self))};

    gtk_window_get_default_size(GTK_WINDOW(self), &size.width, &size.height);
    window_size_save(&size, path);
}

/* ---- the object ---- */

/* Closed, or gone with the application that quits. */
static void unrealize(GtkWidget *widget) {
    save_size(LONGRUN_MAIN_WINDOW(widget));
    GTK_WIDGET_CLASS(main_window_parent_class)->unrealize(widget);
}

static void dispose(GObject *object) {
    g_clear_object(&LONGRUN_MAIN_WINDOW(object)->link);
    G_OBJECT_CLASS(main_window_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    page_history_free(LONGRUN_MAIN_WINDOW(object)->history);
    G_OBJECT_CLASS(main_window_parent_class)->finalize(object);
}

static void bind_children(GtkWidgetClass *class) {
    gtk_widget_class_set_template_from_resource(class, "/org/longrun/Longrun/main-window.ui");
    gtk_widget_class_bind_template_child(class, MainWindow, leaflet);
    gtk_widget_class_bind_template_child(class, MainWindow, stack);
    gtk_widget_class_bind_template_child(class, MainWindow, switcher);
    gtk_widget_class_bind_template_child(class, MainWindow, switcher_bar);
    gtk_widget_class_bind_template_child(class, MainWindow, task_place);
    gtk_widget_class_bind_template_child(class, MainWindow, absence);
    gtk_widget_class_bind_template_child(class, MainWindow, tasks);
    gtk_widget_class_bind_template_child(class, MainWindow, backends);
    gtk_widget_class_bind_template_child(class, MainWindow, messages);
    gtk_widget_class_bind_template_callback(class, on_leaflet_moved);
    gtk_widget_class_bind_template_callback(class, on_back_button);
}

static void main_window_class_init(MainWindowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_ABSENCE_BAR);
    g_type_ensure(LONGRUN_TYPE_TASKS_PAGE);
    g_type_ensure(LONGRUN_TYPE_BACKENDS_PAGE);
    g_type_ensure(LONGRUN_TYPE_MESSAGES_PAGE);
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->unrealize = unrealize;
    bind_children(widget);
    gtk_widget_class_install_action(widget, "win.back", NULL, on_back);
    gtk_widget_class_install_action(widget, "win.lists", NULL, on_lists);
    gtk_widget_class_install_action(widget, "win.page", "s", on_page);
    add_keys(widget);
}

static void main_window_init(MainWindow *self) {
    self->history = page_history_new();
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.back", FALSE);
    late_reveal_bind(self->switcher, "title-visible", self->switcher_bar);
    load_size(self);
}

MainWindow *main_window_new(GtkApplication *app, DaemonLink *link) {
    MainWindow *self = g_object_new(LONGRUN_TYPE_MAIN_WINDOW, "application", app, NULL);

    self->link = g_object_ref(link);
    absence_bar_set_link(self->absence, link);
    tasks_page_set_link(self->tasks, link);
    backends_page_set_link(self->backends, link);
    messages_page_set_link(self->messages, link);
    return self;
}
