#include "client-gtk/log/log-view.h"

#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/log/log-bar.h"
#include "client-gtk/log/log-finder.h"
#include "client-gtk/log/log-reader.h"
#include "client-gtk/log/log-save-bar.h"
#include "client-gtk/log/log-scroll.h"
#include "client-gtk/log/log-search-bar.h"
#include "client-gtk/log/log-text.h"
#include "client-gtk/log/log-watch.h"
#include "client-gtk/widgets/toast.h"

/* How much is read at a time. What a busy log has more of than FOLLOW_BYTES is skipped when its end
 * is followed: nobody could read it, and it is never laid out. */
#define PAGE_ROWS 400
#define PAGE_BYTES (96 * 1024)
#define FOLLOW_ROWS 120
#define FOLLOW_BYTES (24 * 1024)

/* More is read when so few rows are left above or below what can be seen. */
#define NEAR_ROWS 100

/* At most so often what a log has grown by is shown. */
#define FOLLOW_MS 100

struct _LogView {
    AdwBin parent_instance;

    GtkStack *stack;
    GtkTextView *text_view;
    GtkAdjustment *horizontal, *vertical;
    GtkScrollbar *horizontal_bar, *vertical_bar;
    GtkLabel *position, *error;
    GtkToggleButton *search_button;
    LogSearchBar *search_bar;
    LogSaveBar *save_bar;

    DaemonLink *link;
    guint64 id;
    GCancellable *cancellable; /* of the task that is shown */
    LogReader *reader;
    LogWatch *watch;
    LogWindow window;
    LogText *text;
    LogScroll *scroll;
    LogBar *bars[2];
    LogFinder *finder;

    gboolean follow, wrap, mark_errors;
    gboolean reading; /* a block is on its way */
    LogWhat reading_what;
    gboolean grown;     /* the file may have more than we know of */
    gboolean jump;      /* to jump_to is wanted */
    LogRequest jump_to; /* place and what */
    guint timer;        /* what a log has grown by waits for it */
    guint later;        /* look() is to be called */
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

static guint64 top_row(LogView *self) {
    return log_window_row(&self->window, log_scroll_line(self->scroll, 0));
}

static void show_position(LogView *self) {
    g_autofree char *size = g_format_size(self->window.size), *text = NULL;

    if (self->window.removed)
        text = g_strdup(_("The log has been removed."));
    else if (self->follow)
        text = g_strdup(size);
    else
        /* Translators: where in the log the first line is that can be seen, and the size of the
         * log: "At 40 % of 10 MB". */
        text = g_strdup_printf(_("At %.0f %% of %s"),
                               100.0 * (double)top_row(self) / (double)MAX(self->window.size, 1u),
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

/* ---- reading ---- */

/* By rows, not by pixels: what has not been laid out has no height yet. */
static gboolean is_near_begin(LogView *self) {
    return log_window_begin(&self->window).row > 0 && log_scroll_line(self->scroll, 0) < NEAR_ROWS;
}

static gboolean is_near_end(LogView *self) {
    return !self->window.at_end &&
           log_scroll_line(self->scroll, 1) + NEAR_ROWS >= self->window.rows->len;
}

static void look_later(LogView *self);
static void show_match(LogView *self);

static void change_text(LogView *self, const LogBlock *b) {
    gboolean before = self->reading_what == LOG_READ_BEFORE;
    LogChange change;

    log_scroll_begin_change(self->scroll);
    if (before)
        log_scroll_keep_top(self->scroll);
    if (before)
        change = log_window_prepend(&self->window, b);
    else if (self->reading_what == LOG_READ_AFTER)
        change = log_window_append(&self->window, b);
    else
        change = log_window_set(&self->window, b);
    log_text_change(self->text, change, b, before);
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
    if (self->reading_what == LOG_READ_SIZE)
        log_window_look(&self->window, block);
    else
        change_text(self, block);
    if (self->reading_what == LOG_READ_AROUND)
        show_match(self);
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
        .what = self->follow ? LOG_READ_AFTER : LOG_READ_SIZE,
        .place = self->window.end,
        .rows = FOLLOW_ROWS,
        .bytes = FOLLOW_BYTES,
        .skip = FOLLOW_BYTES,
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
    } else if (self->timer == 0 && (self->grown || (self->follow && !self->window.at_end)))
        read_growth(self);
    else if (!self->follow && is_near_begin(self))
        read_page(self, LOG_READ_BEFORE);
    else if (!self->follow && is_near_end(self))
        read_page(self, LOG_READ_AFTER);
}

static gboolean on_later(gpointer userdata) {
    LogView *self = userdata;

    self->later = 0;
    log_scroll_end_change(self->scroll);
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
    log_finder_grown(self->finder);
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
    if (follow)
        log_scroll_to_end(self->scroll);
    else
        log_scroll_release(self->scroll);
    if (follow && !self->window.at_end)
        jump(self, LOG_READ_END, 0);
    show_position(self);
}

static void on_begin(GtkWidget *widget, const char *action, GVariant *unused) {
    LogView *self = LONGRUN_LOG_VIEW(widget);

    set_follow(self, FALSE);
    log_scroll_to_begin(self->scroll);
    if (log_window_begin(&self->window).row > 0)
        jump(self, LOG_READ_AFTER, 0);
}

static void on_end(GtkWidget *widget, const char *action, GVariant *unused) {
    LogView *self = LONGRUN_LOG_VIEW(widget);

    set_follow(self, FALSE);
    set_follow(self, TRUE);
}

/* The text view would go to the ends of what it has. */
static gboolean on_key(LogView *self, guint key, guint code, GdkModifierType modifiers) {
    gboolean home = key == GDK_KEY_Home || key == GDK_KEY_KP_Home,
             end = key == GDK_KEY_End || key == GDK_KEY_KP_End;

    if ((modifiers & gtk_accelerator_get_default_mod_mask()) != GDK_CONTROL_MASK || !(home || end))
        return GDK_EVENT_PROPAGATE;
    gtk_widget_activate_action(GTK_WIDGET(self), home ? "log.begin" : "log.end", NULL);
    return GDK_EVENT_STOP;
}

static void on_save(GtkWidget *widget, const char *action, GVariant *unused) {
    LogView *self = LONGRUN_LOG_VIEW(widget);

    if (self->reader)
        log_save_bar_ask(self->save_bar, self->reader, self->id);
}

/* Who scrolls up wants to read, who scrolls to the end wants to follow it. */
static void on_scrolled(LogScrolled how, gpointer userdata) {
    LogView *self = userdata;

    if (how == LOG_SCROLLED_UP)
        set_follow(self, FALSE);
    else if (how == LOG_SCROLLED_TO_END && self->window.at_end)
        set_follow(self, TRUE);
    if (self->follow)
        return;
    show_position(self);
    look_later(self);
}

/* ---- searching ---- */

static void show_tally(LogView *self) {
    LogTally tally = log_finder_get_tally(self->finder);

    log_search_bar_set_tally(self->search_bar, &tally);
}

/* Where it is shown already, or else after that has been read. */
static void show_match(LogView *self) {
    LogMatch match;
    GtkTextIter at;
    int line;

    if (!log_finder_get_current(self->finder, &match))
        return;
    line = log_window_find(&self->window, match.row);
    if (line < 0 || !log_text_set_current(self->text, (guint)line, match.number, &at))
        return;
    log_scroll_to(self->scroll, &at);
}

static void on_found(LogView *self) {
    LogMatch match;

    if (!log_finder_get_current(self->finder, &match))
        return;
    set_follow(self, FALSE);
    if (log_window_find(&self->window, match.row) >= 0)
        show_match(self);
    else
        jump(self, LOG_READ_AROUND, match.row);
}

static void on_search(LogView *self, const char *text) {
    log_finder_search(self->finder, text, top_row(self));
    log_text_set_needle(self->text, log_finder_get_needle(self->finder));
}

static void on_step(LogView *self, gboolean forward) {
    log_finder_step(self->finder, forward, top_row(self));
}

static void on_search_toggled(LogView *self) {
    log_search_bar_set_open(self->search_bar, gtk_toggle_button_get_active(self->search_button));
}

static void on_search_closed(LogView *self) {
    gtk_toggle_button_set_active(self->search_button, FALSE);
    gtk_widget_grab_focus(GTK_WIDGET(self->text_view));
}

static void on_open_search(GtkWidget *widget, const char *action, GVariant *unused) {
    log_view_search(LONGRUN_LOG_VIEW(widget));
}

static void on_find(GtkWidget *widget, const char *action, GVariant *forward) {
    on_step(LONGRUN_LOG_VIEW(widget), g_variant_get_boolean(forward));
}

/* ---- the task ---- */

static void call_task(LogView *self, const char *method, GAsyncReadyCallback callback) {
    g_autofree char *path = daemon_link_task_path(self->id);

    g_dbus_connection_call_with_unix_fd_list(
        daemon_link_get_connection(self->link), DAEMON_NAME, path, DAEMON_NAME ".Task", method,
        NULL, G_VARIANT_TYPE("(h)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, self->cancellable,
        callback, g_object_ref(self));
}

static int take_fd(GObject *source, GAsyncResult *result, GError **error) {
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), &fds, result, error);

    return reply && fds ? g_unix_fd_list_get(fds, 0, error) : -1;
}

/* What is shown is read again, to tell the streams apart. */
static void begin_marks(LogView *self, int fd) {
    log_reader_set_index(self->reader, fd);
    jump(self, self->follow ? LOG_READ_END : LOG_READ_AFTER, top_row(self));
}

static void on_index(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogView) self = userdata;
    g_autoptr(GError) error = NULL;
    int fd = take_fd(source, result, &error);

    if (fd >= 0 && self->reader && log_reader_get_files(self->reader)->index < 0)
        begin_marks(self, fd);
    else if (fd >= 0)
        close(fd);
    else if (error)
        toast_error(GTK_WIDGET(self), _("Could not mark error output"), error);
}

static void set_mark_errors(LogView *self, gboolean marks) {
    self->mark_errors = marks;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_MARK_ERRORS]);
    log_text_set_marks(self->text, marks);
    if (marks && self->reader && log_reader_get_files(self->reader)->index < 0)
        call_task(self, "OpenLogIndex", on_index);
}

static void begin_reading(LogView *self, int fd) {
    self->reader = log_reader_new(fd);
    self->watch = log_watch_new(fd, on_grown, self);
    log_watch_arm(self->watch);
    log_finder_set_reader(self->finder, self->reader);
    jump(self, LOG_READ_END, 0);
    set_mark_errors(self, self->mark_errors);
}

static void on_opened(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogView) self = userdata;
    g_autoptr(GError) error = NULL;
    int fd = take_fd(source, result, &error);

    if (fd >= 0 && !self->reader)
        begin_reading(self, fd);
    else if (fd >= 0)
        close(fd);
    else if (error && !daemon_error_is_cancelled(error))
        show_error(self, error);
}

static void open_log(LogView *self) {
    if (!self->reader && daemon_link_get_state(self->link) == DAEMON_RUNNING)
        call_task(self, "OpenLog", on_opened);
}

static void forget_task(LogView *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    g_clear_pointer(&self->watch, log_watch_free);
    log_finder_set_reader(self->finder, NULL);
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
    if (gtk_toggle_button_get_active(self->search_button))
        log_search_bar_set_open(self->search_bar, TRUE);
    else
        gtk_toggle_button_set_active(self->search_button, TRUE);
}

/* ---- the object ---- */

static void set_wrap(LogView *self, gboolean wrap) {
    self->wrap = wrap;
    gtk_text_view_set_wrap_mode(self->text_view, wrap ? GTK_WRAP_WORD_CHAR : GTK_WRAP_NONE);
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_WRAP]);
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
        set_mark_errors(self, g_value_get_boolean(value));
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
    g_signal_handlers_disconnect_by_data(self->finder, self);
    g_clear_pointer(&self->scroll, log_scroll_free);
    g_clear_pointer(&self->bars[0], log_bar_free);
    g_clear_pointer(&self->bars[1], log_bar_free);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(log_view_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    LogView *self = LONGRUN_LOG_VIEW(object);

    g_object_unref(self->finder);
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

static void bind_keys(GtkWidgetClass *widget) {
    const GdkModifierType control = GDK_CONTROL_MASK, shift = GDK_SHIFT_MASK;

    gtk_widget_class_add_binding_action(widget, GDK_KEY_f, control, "log.search", NULL);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_g, control, "log.find", "b", TRUE);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_g, control | shift, "log.find", "b", FALSE);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_s, control, "log.save", NULL);
}

static void install_actions(GtkWidgetClass *widget) {
    gtk_widget_class_install_property_action(widget, "log.follow", "follow");
    gtk_widget_class_install_property_action(widget, "log.wrap", "wrap");
    gtk_widget_class_install_property_action(widget, "log.mark-errors", "mark-errors");
    gtk_widget_class_install_action(widget, "log.begin", NULL, on_begin);
    gtk_widget_class_install_action(widget, "log.end", NULL, on_end);
    gtk_widget_class_install_action(widget, "log.save", NULL, on_save);
    gtk_widget_class_install_action(widget, "log.search", NULL, on_open_search);
    gtk_widget_class_install_action(widget, "log.find", "b", on_find);
}

static void bind_template(GtkWidgetClass *widget) {
    g_type_ensure(LONGRUN_TYPE_LOG_SEARCH_BAR);
    g_type_ensure(LONGRUN_TYPE_LOG_SAVE_BAR);
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/log/log-view.ui");
    gtk_widget_class_bind_template_child(widget, LogView, stack);
    gtk_widget_class_bind_template_child(widget, LogView, text_view);
    gtk_widget_class_bind_template_child(widget, LogView, horizontal);
    gtk_widget_class_bind_template_child(widget, LogView, vertical);
    gtk_widget_class_bind_template_child(widget, LogView, horizontal_bar);
    gtk_widget_class_bind_template_child(widget, LogView, vertical_bar);
    gtk_widget_class_bind_template_child(widget, LogView, position);
    gtk_widget_class_bind_template_child(widget, LogView, error);
    gtk_widget_class_bind_template_child(widget, LogView, search_button);
    gtk_widget_class_bind_template_child(widget, LogView, search_bar);
    gtk_widget_class_bind_template_child(widget, LogView, save_bar);
    gtk_widget_class_bind_template_callback(widget, on_key);
    gtk_widget_class_bind_template_callback(widget, on_search);
    gtk_widget_class_bind_template_callback(widget, on_step);
    gtk_widget_class_bind_template_callback(widget, on_search_toggled);
    gtk_widget_class_bind_template_callback(widget, on_search_closed);
}

static void log_view_class_init(LogViewClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->map = map;
    install_properties(G_OBJECT_CLASS(class));
    bind_template(widget);
    install_actions(widget);
    bind_keys(widget);
}

static void make_text(LogView *self) {
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(self->text_view);

    gtk_text_buffer_set_enable_undo(buffer, FALSE);
    self->text = log_text_new(buffer);
}

static void log_view_init(LogView *self) {
    self->follow = TRUE;
    self->finder = log_finder_new();
    log_window_init(&self->window);
    gtk_widget_init_template(GTK_WIDGET(self));
    make_text(self);
    self->scroll = log_scroll_new(self->text_view, self->vertical, on_scrolled, self);
    log_scroll_to_end(self->scroll);
    self->bars[0] = log_bar_new(self->horizontal_bar, self->horizontal, FALSE);
    self->bars[1] = log_bar_new(self->vertical_bar, self->vertical, TRUE);
    g_signal_connect_swapped(self->finder, "changed", G_CALLBACK(show_tally), self);
    g_signal_connect_swapped(self->finder, "found", G_CALLBACK(on_found), self);
    g_signal_connect_swapped(adw_style_manager_get_default(), "notify::dark", G_CALLBACK(on_dark),
                             self);
    on_dark(self);
}

GtkWidget *log_view_new(DaemonLink *link, guint64 id) {
    LogView *self = g_object_new(LONGRUN_TYPE_LOG_VIEW, NULL);

    log_view_set_task(self, link, id);
    return GTK_WIDGET(self);
}
