#include "client-gtk/log/log-view.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/log/log-reader.h"
#include "client-gtk/log/log-text.h"
#include "client-gtk/log/log-watch.h"

/* How much is read at a time. What a busy log has more of than FOLLOW_BYTES is skipped when its end
 * is followed: nobody could read it, and it is never laid out. */
#define PAGE_ROWS 400
#define PAGE_BYTES (96 * 1024)
#define FOLLOW_ROWS 120
#define FOLLOW_BYTES (24 * 1024)

/* At most so often what a log has grown by is shown. */
#define FOLLOW_MS 100

struct _LogView {
    AdwBin parent_instance;

    GtkStack *stack;
    GtkTextView *text_view;
    GtkScrolledWindow *scroller;
    GtkLabel *position, *error;
    GtkToggleButton *search_button;

    DaemonLink *link;
    guint64 id;
    GCancellable *cancellable; /* of the task that is shown */
    LogReader *reader;
    LogWatch *watch;
    LogWindow window;
    LogText *text;

    gboolean follow, wrap, mark_errors;
    gboolean reading; /* a block is on its way */
    LogWhat reading_what;
    gboolean grown;     /* the file may have more than we know of */
    gboolean jump;      /* to jump_to is wanted */
    LogRequest jump_to; /* place and what */
    guint timer;        /* what a log has grown by waits for it */
    guint later;        /* look() is to be called */
    double last_value, last_upper;
};

G_DEFINE_FINAL_TYPE(LogView, log_view, ADW_TYPE_BIN)

enum {
    PROP_FOLLOW = 1,
    PROP_WRAP,
    PROP_MARK_ERRORS,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];

static void look(LogView *self);

/* ---- what is said beside the text ---- */

static void show_position(LogView *self) {
    g_autofree char *size = g_format_size(self->window.size), *text = NULL;

    if (self->window.removed)
        text = g_strdup(_("The log has been removed."));
    else if (self->window.at_end && log_window_begin(&self->window).row == 0)
        text = g_strdup(size);
    else if (self->window.at_end)
        /* Translators: %s is the size of a log, like "10 MB". */
        text = g_strdup_printf(_("The end of %s"), size);
    else
        /* Translators: where in the log what is shown begins, and the size of the log: "At 40 % of
         * 10 MB". */
        text = g_strdup_printf(_("At %.0f %% of %s"),
                               100.0 * (double)log_window_begin(&self->window).row /
                                   (double)MAX(self->window.size, 1u),
                               size);
    if (strcmp(gtk_label_get_label(self->position), text) != 0)
        gtk_label_set_text(self->position, text);
    gtk_stack_set_visible_child_name(self->stack, self->window.rows->len > 0 ? "text" : "empty");
}

static void show_error(LogView *self, const GError *error) {
    g_autofree char *text = daemon_error_text(error);

    gtk_label_set_text(self->error, text);
    gtk_stack_set_visible_child_name(self->stack, "error");
}

/* ---- scrolling ---- */

static GtkAdjustment *adjustment(LogView *self) {
    return gtk_scrolled_window_get_vadjustment(self->scroller);
}

static void scroll_to_end(LogView *self) {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text_view);
    GtkTextIter end;

    gtk_text_buffer_get_end_iter(buffer, &end);
    gtk_text_buffer_move_mark_by_name(buffer, "end", &end);
    gtk_text_view_scroll_to_mark(self->text_view, gtk_text_buffer_get_mark(buffer, "end"), 0, TRUE,
                                 0, 1);
}

/* What is on top stays there, whatever comes before it. */
static void keep_top(LogView *self) {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text_view);
    GdkRectangle visible;
    GtkTextIter top;

    gtk_text_view_get_visible_rect(self->text_view, &visible);
    gtk_text_view_get_line_at_y(self->text_view, &top, visible.y, NULL);
    gtk_text_buffer_move_mark_by_name(buffer, "top", &top);
}

static void scroll_to_top_mark(LogView *self) {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text_view);

    gtk_text_view_scroll_to_mark(self->text_view, gtk_text_buffer_get_mark(buffer, "top"), 0, TRUE,
                                 0, 0);
}

static gboolean is_near_begin(LogView *self) {
    GtkAdjustment *a = adjustment(self);

    return log_window_begin(&self->window).row > 0 &&
           gtk_adjustment_get_value(a) < 2 * gtk_adjustment_get_page_size(a);
}

static gboolean is_near_end(LogView *self) {
    GtkAdjustment *a = adjustment(self);
    double page = gtk_adjustment_get_page_size(a);

    return !self->window.at_end &&
           gtk_adjustment_get_upper(a) - gtk_adjustment_get_value(a) - page < 2 * page;
}

/* ---- reading ---- */

static void look_later(LogView *self);

static void change_text(LogView *self, const LogBlock *b) {
    gboolean before = self->reading_what == LOG_READ_BEFORE;
    LogChange change;

    if (before)
        keep_top(self);
    if (before)
        change = log_window_prepend(&self->window, b);
    else if (self->reading_what == LOG_READ_AFTER)
        change = log_window_append(&self->window, b);
    else
        change = log_window_set(&self->window, b);
    log_text_change(self->text, change, b, before);
    if (before)
        scroll_to_top_mark(self);
    else if (self->follow)
        scroll_to_end(self);
}

static void on_block(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogView) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(LogBlock) block = log_reader_read_finish(LONGRUN_LOG_READER(source), result, &error);

    if (LONGRUN_LOG_READER(source) != self->reader)
        return; /* of a task that is not shown any more */
    self->reading = FALSE;
    if (!block) {
        if (!daemon_error_is_cancelled(error))
            show_error(self, error);
        return;
    }
    change_text(self, block);
    show_position(self);
    look_later(self);
}

static void read_rows(LogView *self, const LogRequest *request) {
    self->reading = TRUE;
    self->reading_what = request->what;
    log_reader_read_async(self->reader, request, self->cancellable, on_block, g_object_ref(self));
}

static void read_growth(LogView *self) {
    LogRequest request = {
        .what = LOG_READ_AFTER,
        .place = self->window.end,
        .rows = self->follow ? FOLLOW_ROWS : 0,
        .bytes = FOLLOW_BYTES,
        .skip = self->follow ? FOLLOW_BYTES : 0,
    };

    self->grown = FALSE;
    log_watch_arm(self->watch);
    read_rows(self, &request);
}

static void read_page(LogView *self, LogWhat what) {
    LogRequest request = {
        .what = what,
        .place = what == LOG_READ_BEFORE ? log_window_begin(&self->window) : self->window.end,
        .rows = PAGE_ROWS,
        .bytes = PAGE_BYTES,
    };

    read_rows(self, &request);
}

/* Begins what is to be read next. */
static void look(LogView *self) {
    if (!self->reader || self->reading || !gtk_widget_get_mapped(GTK_WIDGET(self)))
        return;
    if (self->jump) {
        self->jump = FALSE;
        read_rows(self, &self->jump_to);
    } else if (self->grown && self->timer == 0)
        read_growth(self);
    else if (!self->follow && is_near_begin(self))
        read_page(self, LOG_READ_BEFORE);
    else if (!self->follow && is_near_end(self))
        read_page(self, LOG_READ_AFTER);
}

static gboolean on_later(gpointer userdata) {
    LogView *self = userdata;

    self->later = 0;
    look(self);
    return G_SOURCE_REMOVE;
}

/* After the text has been laid out. */
static void look_later(LogView *self) {
    if (self->later == 0)
        self->later = g_idle_add_full(G_PRIORITY_LOW, on_later, self, NULL);
}

static gboolean on_timer(gpointer userdata) {
    LogView *self = userdata;

    self->timer = 0;
    look(self);
    return G_SOURCE_REMOVE;
}

static gboolean on_grown(gpointer userdata) {
    LogView *self = userdata;

    self->grown = TRUE;
    if (self->timer == 0)
        self->timer = g_timeout_add(FOLLOW_MS, on_timer, self);
    return G_SOURCE_CONTINUE;
}

/* ---- where to ---- */

static void jump(LogView *self, LogWhat what, guint64 offset) {
    self->jump = TRUE;
    self->jump_to = (LogRequest){
        .what = what,
        .place = {.row = offset},
        .rows = what == LOG_READ_END ? FOLLOW_ROWS : PAGE_ROWS,
        .bytes = what == LOG_READ_END ? FOLLOW_BYTES : PAGE_BYTES,
    };
    look(self);
}

static void set_follow(LogView *self, gboolean follow) {
    if (self->follow == follow)
        return;
    self->follow = follow;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_FOLLOW]);
    if (follow && !self->window.at_end)
        jump(self, LOG_READ_END, 0);
    else if (follow)
        scroll_to_end(self);
}

static void on_begin(GtkWidget *widget, const char *action, GVariant *unused) {
    LogView *self = LONGRUN_LOG_VIEW(widget);
    GtkTextIter begin;

    set_follow(self, FALSE);
    gtk_text_buffer_get_start_iter(gtk_text_view_get_buffer(self->text_view), &begin);
    gtk_text_view_scroll_to_iter(self->text_view, &begin, 0, TRUE, 0, 0);
    if (log_window_begin(&self->window).row > 0)
        jump(self, LOG_READ_AFTER, 0);
}

static void on_end(GtkWidget *widget, const char *action, GVariant *unused) {
    LogView *self = LONGRUN_LOG_VIEW(widget);

    set_follow(self, FALSE);
    set_follow(self, TRUE);
}

/* Who scrolls up wants to read, who scrolls to the end wants to follow it. What the text view does
 * to the value when it has laid out more goes together with another height. */
static void on_scrolled(GtkAdjustment *a, gpointer userdata) {
    LogView *self = userdata;
    double value = gtk_adjustment_get_value(a), upper = gtk_adjustment_get_upper(a),
           rest = upper - gtk_adjustment_get_page_size(a) - value;

    if (upper == self->last_upper && value < self->last_value && rest > 1)
        set_follow(self, FALSE);
    else if (upper == self->last_upper && value > self->last_value && rest < 1 &&
             self->window.at_end)
        set_follow(self, TRUE);
    self->last_value = value;
    self->last_upper = upper;
    if (!self->follow)
        look_later(self);
}

/* As more is laid out, the end moves away. */
static void on_layout(GtkAdjustment *a, gpointer userdata) {
    LogView *self = userdata;

    self->last_upper = gtk_adjustment_get_upper(a);
    if (self->follow)
        gtk_adjustment_set_value(a, self->last_upper - gtk_adjustment_get_page_size(a));
    self->last_value = gtk_adjustment_get_value(a);
}

/* ---- the task ---- */

static void begin_reading(LogView *self, int fd) {
    self->reader = log_reader_new(fd);
    self->watch = log_watch_new(fd, on_grown, self);
    log_watch_arm(self->watch);
    jump(self, LOG_READ_END, 0);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogView) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, &error);
    int fd = reply && fds ? g_unix_fd_list_get(fds, 0, &error) : -1;

    if (fd >= 0 && !self->reader)
        begin_reading(self, fd);
    else if (fd >= 0)
        close(fd);
    else if (error && !daemon_error_is_cancelled(error))
        show_error(self, error);
}

static void open_log(LogView *self) {
    g_autofree char *path = daemon_link_task_path(self->id);

    if (self->reader || daemon_link_get_state(self->link) != DAEMON_RUNNING)
        return;
    g_dbus_connection_call_with_unix_fd_list(
        daemon_link_get_connection(self->link), DAEMON_NAME, path, DAEMON_NAME ".Task", "OpenLog",
        NULL, G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, self->cancellable,
        on_opened, g_object_ref(self));
}

static void forget_task(LogView *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    g_clear_pointer(&self->watch, log_watch_free);
    g_clear_object(&self->reader);
    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_handle_id(&self->later, g_source_remove);
    self->reading = self->grown = self->jump = FALSE;
}

void log_view_set_task(LogView *self, DaemonLink *link, guint64 id) {
    if (self->link == link && self->id == id)
        return;
    forget_task(self);
    log_text_change(self->text, log_window_clear(&self->window), NULL, FALSE);
    self->id = id;
    self->link = g_object_ref(link);
    self->cancellable = g_cancellable_new();
    g_signal_connect_swapped(link, "notify::state", G_CALLBACK(open_log), self);
    open_log(self);
}

void log_view_search(LogView *self) {
    gtk_toggle_button_set_active(self->search_button, TRUE);
}

/* ---- the object ---- */

static void set_wrap(LogView *self, gboolean wrap) {
    self->wrap = wrap;
    gtk_text_view_set_wrap_mode(self->text_view, wrap ? GTK_WRAP_WORD_CHAR : GTK_WRAP_NONE);
    if (self->follow)
        scroll_to_end(self);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    if (id == PROP_FOLLOW)
        g_value_set_boolean(value, self->follow);
    else if (id == PROP_WRAP)
        g_value_set_boolean(value, self->wrap);
    else if (id == PROP_MARK_ERRORS)
        g_value_set_boolean(value, self->mark_errors);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void set_property(GObject *object, guint id, const GValue *value, GParamSpec *pspec) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    if (id == PROP_FOLLOW)
        set_follow(self, g_value_get_boolean(value));
    else if (id == PROP_WRAP)
        set_wrap(self, g_value_get_boolean(value));
    else if (id == PROP_MARK_ERRORS)
        self->mark_errors = g_value_get_boolean(value);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void on_dark(LogView *self) {
    log_text_set_dark(self->text, adw_style_manager_get_dark(adw_style_manager_get_default()));
}

static void map(GtkWidget *widget) {
    GTK_WIDGET_CLASS(log_view_parent_class)->map(widget);
    look(LONGRUN_LOG_VIEW(widget));
}

static void dispose(GObject *object) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    forget_task(self);
    g_signal_handlers_disconnect_by_data(adw_style_manager_get_default(), self);
    if (self->scroller)
        g_signal_handlers_disconnect_by_data(adjustment(self), self);
    adw_bin_set_child(ADW_BIN(self), NULL);
    self->scroller = NULL;
    G_OBJECT_CLASS(log_view_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    log_text_free(self->text);
    log_window_done(&self->window);
    G_OBJECT_CLASS(log_view_parent_class)->finalize(object);
}

static void install_properties(GObjectClass *class) {
    const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;

    class->get_property = get_property;
    class->set_property = set_property;
    properties[PROP_FOLLOW] = g_param_spec_boolean("follow", NULL, NULL, TRUE, flags);
    properties[PROP_WRAP] = g_param_spec_boolean("wrap", NULL, NULL, FALSE, flags);
    properties[PROP_MARK_ERRORS] = g_param_spec_boolean("mark-errors", NULL, NULL, FALSE, flags);
    g_object_class_install_properties(class, N_PROPS, properties);
}

static void log_view_class_init(LogViewClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->map = map;
    install_properties(G_OBJECT_CLASS(class));
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/log/log-view.ui");
    gtk_widget_class_bind_template_child(widget, LogView, stack);
    gtk_widget_class_bind_template_child(widget, LogView, text_view);
    gtk_widget_class_bind_template_child(widget, LogView, scroller);
    gtk_widget_class_bind_template_child(widget, LogView, position);
    gtk_widget_class_bind_template_child(widget, LogView, error);
    gtk_widget_class_bind_template_child(widget, LogView, search_button);
    gtk_widget_class_install_property_action(widget, "log.follow", "follow");
    gtk_widget_class_install_property_action(widget, "log.wrap", "wrap");
    gtk_widget_class_install_property_action(widget, "log.mark-errors", "mark-errors");
    gtk_widget_class_install_action(widget, "log.begin", NULL, on_begin);
    gtk_widget_class_install_action(widget, "log.end", NULL, on_end);
}

static void log_view_init(LogView *self) {
    GtkTextBuffer *buffer;
    GtkTextIter begin;

    self->follow = TRUE;
    gtk_widget_init_template(GTK_WIDGET(self));
    log_window_init(&self->window);
    buffer = gtk_text_view_get_buffer(self->text_view);
    gtk_text_buffer_set_enable_undo(buffer, FALSE);
    gtk_text_buffer_get_start_iter(buffer, &begin);
    gtk_text_buffer_create_mark(buffer, "top", &begin, FALSE);
    gtk_text_buffer_create_mark(buffer, "end", &begin, FALSE);
    self->text = log_text_new(buffer);
    g_signal_connect(adjustment(self), "value-changed", G_CALLBACK(on_scrolled), self);
    g_signal_connect(adjustment(self), "changed", G_CALLBACK(on_layout), self);
    g_signal_connect_swapped(adw_style_manager_get_default(), "notify::dark", G_CALLBACK(on_dark),
                             self);
    on_dark(self);
}

GtkWidget *log_view_new(DaemonLink *link, guint64 id) {
    LogView *self = g_object_new(LONGRUN_TYPE_LOG_VIEW, NULL);

    log_view_set_task(self, link, id);
    return GTK_WIDGET(self);
}
