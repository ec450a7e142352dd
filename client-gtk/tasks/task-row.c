#include "client-gtk/tasks/task-row.h"

#include <glib/gi18n.h>

#include "client-gtk/tasks/row-words.h"
#include "client-gtk/widgets/state-icon.h"

struct _TaskRow {
    GtkWidget parent_instance;

    GtkCheckButton *check;
    GtkImage *icon;
    GtkLabel *title, *group, *detail, *time;
    GtkProgressBar *bar;

    TaskItem *item; /* NULL: none */
    TaskState icon_state;
    gboolean stale; /* it shows less than what the item has */
};

G_DEFINE_FINAL_TYPE(TaskRow, task_row, GTK_TYPE_WIDGET)

/* ---- what it says ---- */

/* A label that is set is laid out anew, with all that is around it. */
static void set_label(GtkLabel *label, const char *text) {
    if (!g_str_equal(gtk_label_get_text(label), text))
        gtk_label_set_text(label, text);
}

static void show_texts(TaskRow *self, const TaskFacts *f) {
    g_autofree char *title = row_words_title(f), *detail = row_words_detail(f);
    g_autofree char *time = row_words_time(f, (guint64)g_get_real_time());
    gboolean has_group = *f->group && !g_str_equal(f->group, "default");

    set_label(self->title, title);
    set_label(self->detail, detail);
    gtk_widget_set_visible(GTK_WIDGET(self->detail), *detail != '\0');
    set_label(self->time, time);
    set_label(self->group, has_group ? f->group : "");
    gtk_widget_set_visible(GTK_WIDGET(self->group), has_group);
}

static void show_progress(TaskRow *self, const TaskFacts *f) {
    gboolean is_on = f->state >= 0 && (f->state == TASK_RUNNING || f->state == TASK_PAUSED ||
                                       f->state == TASK_CANCELLING);
    double fraction = is_on && f->progress > 0 ? MIN(f->progress, 1) : 0;

    gtk_widget_set_visible(GTK_WIDGET(self->bar), is_on && f->progress >= 0);
    if (gtk_progress_bar_get_fraction(self->bar) != fraction)
        gtk_progress_bar_set_fraction(self->bar, fraction);
}

/* Who cannot see the row hears it as one sentence: of the list's own widget around it. */
static void tell_readers(TaskRow *self, const TaskFacts *f) {
    GtkWidget *around = gtk_widget_get_parent(GTK_WIDGET(self));
    const char *detail = gtk_label_get_text(self->detail);
    g_autofree char *text = NULL;

    if (!around)
        return;
    if (*detail)
        /* Translators: a row of the list: what the task is called, its state, what it is at */
        text = g_strdup_printf(_("%s, %s, %s"), gtk_label_get_text(self->title),
                               state_title(f->state), detail);
    else
        /* Translators: a row of the list: what the task is called, its state */
        text = g_strdup_printf(_("%s, %s"), gtk_label_get_text(self->title), state_title(f->state));
    gtk_accessible_update_property(GTK_ACCESSIBLE(around), GTK_ACCESSIBLE_PROPERTY_LABEL, text, -1);
}

static void show_item(TaskRow *self) {
    const TaskFacts *f = task_item_facts(self->item);

    if (self->icon_state != f->state)
        state_icon_set(self->icon, f->state);
    self->icon_state = f->state;
    self->stale = FALSE;
    gtk_widget_set_opacity(GTK_WIDGET(self->icon), f->state >= 0 ? 1 : 0);
    gtk_widget_set_opacity(GTK_WIDGET(self), f->plan == TASK_PLAN_NONE ? 1 : 0.5);
    show_texts(self, f);
    show_progress(self, f);
    tell_readers(self, f);
}

/* ---- what is out of sight ---- */

/* A list has many more rows than can be seen, on either side. */
static gboolean can_be_seen(TaskRow *self) {
    GtkWidget *list = gtk_widget_get_ancestor(GTK_WIDGET(self), GTK_TYPE_LIST_VIEW);
    graphene_rect_t bounds;

    if (!list || !gtk_widget_get_mapped(GTK_WIDGET(self)) ||
        !gtk_widget_compute_bounds(GTK_WIDGET(self), list, &bounds))
        return FALSE;
    return bounds.origin.y + bounds.size.height >= 0 &&
           bounds.origin.y <= (float)gtk_widget_get_height(list);
}

void task_row_catch_up(TaskRow *self) {
    if (self->stale && self->item && can_be_seen(self))
        show_item(self);
}

/* Of a row that nobody sees, how far the task is can wait: what is laid out for it costs as much as
 * for the others. Its state cannot, for it may be what somebody waits for. */
static void on_changed(TaskRow *self) {
    const TaskFacts *f = task_item_facts(self->item);

    if (self->icon_state == f->state && !can_be_seen(self))
        self->stale = TRUE;
    else
        show_item(self);
}

static void map(GtkWidget *widget) {
    TaskRow *self = LONGRUN_TASK_ROW(widget);

    GTK_WIDGET_CLASS(task_row_parent_class)->map(widget);
    if (self->stale && self->item)
        show_item(self);
}

/* ---- the item ---- */

void task_row_set_item(TaskRow *self, TaskItem *item) {
    if (self->item)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_set_object(&self->item, item);
    if (!item)
        return;
    g_signal_connect_swapped(item, "changed", G_CALLBACK(on_changed), self);
    show_item(self);
}

TaskItem *task_row_get_item(TaskRow *self) {
    return self->item;
}

void task_row_set_selecting(TaskRow *self, gboolean selecting) {
    gtk_widget_set_visible(GTK_WIDGET(self->check), selecting);
}

void task_row_set_selected(TaskRow *self, gboolean selected) {
    gtk_check_button_set_active(self->check, selected);
}

/* ---- the object ---- */

/* Disposing of the template lets go of those children alone that have a name. */
static void dispose(GObject *object) {
    GtkWidget *child;

    task_row_set_item(LONGRUN_TASK_ROW(object), NULL);
    while ((child = gtk_widget_get_first_child(GTK_WIDGET(object))))
        gtk_widget_unparent(child);
    G_OBJECT_CLASS(task_row_parent_class)->dispose(object);
}

static void task_row_class_init(TaskRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    widget->map = map;
    gtk_widget_class_set_layout_manager_type(widget, GTK_TYPE_BOX_LAYOUT);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/tasks/task-row.ui");
    gtk_widget_class_bind_template_child(widget, TaskRow, check);
    gtk_widget_class_bind_template_child(widget, TaskRow, icon);
    gtk_widget_class_bind_template_child(widget, TaskRow, title);
    gtk_widget_class_bind_template_child(widget, TaskRow, group);
    gtk_widget_class_bind_template_child(widget, TaskRow, detail);
    gtk_widget_class_bind_template_child(widget, TaskRow, time);
    gtk_widget_class_bind_template_child(widget, TaskRow, bar);
}

static void task_row_init(TaskRow *self) {
    self->icon_state = _TASK_STATE_INVALID;
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *task_row_new(void) {
    return g_object_new(LONGRUN_TYPE_TASK_ROW, NULL);
}
