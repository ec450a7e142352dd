#include "client-gtk/messages/conversation-scroll.h"

#include "client-gtk/messages/message-row.h"

/* A list view knows the heights of the rows that it has laid out, and guesses those of others: it
 * takes some frames until a row is where it was asked to be. */
#define FRAMES_MAX 20
#define FRAMES_GUESSING 4
#define FRAMES_STILL 2
#define PIXELS 1.0

struct _ConversationScroll {
    GObject parent_instance;

    GtkWidget *list;           /* not owned */
    GtkAdjustment *adjustment; /* of the list */
    ItemList *messages;
    char *target; /* id of the message that is to be the last in sight; NULL: none, or the end */
    double upper, page; /* as the person has seen them */
    guint tick, frames, still;
    gboolean at_end;
};

G_DEFINE_FINAL_TYPE(ConversationScroll, conversation_scroll, G_TYPE_OBJECT)

enum {
    PROP_AT_END = 1,
    N_PROPS,
};
static GParamSpec *properties[N_PROPS];
static guint top_signal;

gboolean conversation_scroll_get_at_end(ConversationScroll *self) {
    return self->at_end;
}

static void set_at_end(ConversationScroll *self, gboolean at_end) {
    if (self->at_end == at_end)
        return;
    self->at_end = at_end;
    g_object_notify_by_pspec(G_OBJECT(self), properties[PROP_AT_END]);
}

/* ---- places ---- */

static gboolean is_at_end(ConversationScroll *self) {
    return gtk_adjustment_get_value(self->adjustment) +
               gtk_adjustment_get_page_size(self->adjustment) >=
           gtk_adjustment_get_upper(self->adjustment) - PIXELS;
}

static MessageRow *row_at(ConversationScroll *self, double y) {
    GtkWidget *at = gtk_widget_pick(self->list, gtk_widget_get_width(self->list) / 2.0, y,
                                    GTK_PICK_INSENSITIVE | GTK_PICK_NON_TARGETABLE);
    GtkWidget *row;

    if (!at || at == self->list)
        return NULL;
    row = gtk_widget_get_ancestor(at, LONGRUN_TYPE_MESSAGE_ROW);
    if (!row && gtk_widget_get_parent(at) == self->list)
        row = gtk_widget_get_first_child(at);
    return row && LONGRUN_IS_MESSAGE_ROW(row) ? LONGRUN_MESSAGE_ROW(row) : NULL;
}

static const char *last_in_sight(ConversationScroll *self) {
    for (double y = gtk_widget_get_height(self->list) - 2; y > 0; y -= 4) {
        MessageRow *row = row_at(self, y);
        if (row && message_row_get_item(row))
            return message_item_get_id(message_row_get_item(row));
    }
    return NULL;
}

static gboolean is_there(ConversationScroll *self) {
    return self->target ? g_strcmp0(last_in_sight(self), self->target) == 0 : is_at_end(self);
}

static void scroll_to(ConversationScroll *self, guint position) {
    gtk_widget_activate_action(self->list, "list.scroll-to-item", "u", position);
}

/* The list leaves a row where it is when that is in sight; from the beginning, it becomes the last
 * one. */
static void go_to_target(ConversationScroll *self) {
    guint last = item_list_size(self->messages) - 1;
    guint position = item_list_position(self->messages, self->target);

    scroll_to(self, self->frames % 2 == 1 ? 0 : MIN(position, last));
}

/* Of a row that is larger than the window the list shows the beginning. It complains about places
 * at which it has not laid out anything yet. */
static void go_to_end(ConversationScroll *self) {
    guint last = item_list_size(self->messages) - 1;
    MessageItem *item = item_list_get(self->messages, last);

    if (self->frames >= FRAMES_GUESSING &&
        g_strcmp0(last_in_sight(self), message_item_get_id(item)) == 0)
        gtk_adjustment_set_value(self->adjustment, gtk_adjustment_get_upper(self->adjustment));
    else
        scroll_to(self, last);
}

/* ---- frames ---- */

static gboolean can_be_seen(ConversationScroll *self) {
    return gtk_widget_get_mapped(self->list) && item_list_size(self->messages) > 0;
}

static void settled(ConversationScroll *self) {
    self->tick = 0;
    if (can_be_seen(self))
        g_clear_pointer(&self->target, g_free);
    self->upper = gtk_adjustment_get_upper(self->adjustment);
    self->page = gtk_adjustment_get_page_size(self->adjustment);
    if (can_be_seen(self))
        set_at_end(self, is_at_end(self));
}

static gboolean on_tick(GtkWidget *list, GdkFrameClock *clock, gpointer userdata) {
    ConversationScroll *self = userdata;

    self->still = is_there(self) ? self->still + 1 : 0;
    if (!can_be_seen(self) || self->still >= FRAMES_STILL || ++self->frames > FRAMES_MAX) {
        settled(self);
        return G_SOURCE_REMOVE;
    }
    if (self->still == 0 && self->target)
        go_to_target(self);
    else if (self->still == 0)
        go_to_end(self);
    return G_SOURCE_CONTINUE;
}

static void begin(ConversationScroll *self) {
    self->frames = 0;
    self->still = 0;
    if (self->tick == 0 && self->messages)
        self->tick = gtk_widget_add_tick_callback(self->list, on_tick, self, NULL);
}

/* The list has got another size: by messages, by guesses that were wrong, with the window. */
static void on_changed(ConversationScroll *self) {
    if (self->at_end || self->target) {
        begin(self);
        return;
    }
    self->upper = gtk_adjustment_get_upper(self->adjustment);
    self->page = gtk_adjustment_get_page_size(self->adjustment);
}

/* By the person, unless the list has another size than before, or we are on our way. */
static void on_value(ConversationScroll *self) {
    if (self->tick)
        return;
    if (is_at_end(self))
        set_at_end(self, TRUE);
    else if (gtk_adjustment_get_upper(self->adjustment) == self->upper &&
             gtk_adjustment_get_page_size(self->adjustment) == self->page)
        set_at_end(self, FALSE);
    if (!self->at_end && gtk_adjustment_get_value(self->adjustment) < PIXELS)
        g_signal_emit(self, top_signal, 0);
}

/* ---- from outside ---- */

void conversation_scroll_restore(ConversationScroll *self, Conversation *c) {
    g_free(self->target);
    self->target = g_strdup(conversation_get_place(c));
    g_set_object(&self->messages, conversation_get_messages(c));
    set_at_end(self, self->target == NULL);
    begin(self);
}

void conversation_scroll_save(ConversationScroll *self, Conversation *c) {
    if (self->messages == conversation_get_messages(c))
        conversation_set_place(c, self->at_end   ? NULL
                                  : self->target ? self->target
                                                 : last_in_sight(self));
}

void conversation_scroll_to_end(ConversationScroll *self) {
    g_clear_pointer(&self->target, g_free);
    set_at_end(self, TRUE);
    begin(self);
}

/* ---- the object ---- */

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec) {
    if (id == PROP_AT_END)
        g_value_set_boolean(value, LONGRUN_CONVERSATION_SCROLL(object)->at_end);
    else
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void dispose(GObject *object) {
    ConversationScroll *self = LONGRUN_CONVERSATION_SCROLL(object);

    if (self->tick)
        gtk_widget_remove_tick_callback(self->list, self->tick);
    self->tick = 0;
    if (self->adjustment)
        g_signal_handlers_disconnect_by_data(self->list, self);
    if (self->adjustment)
        g_signal_handlers_disconnect_by_data(self->adjustment, self);
    g_clear_object(&self->adjustment);
    g_clear_object(&self->messages);
    G_OBJECT_CLASS(conversation_scroll_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_free(LONGRUN_CONVERSATION_SCROLL(object)->target);
    G_OBJECT_CLASS(conversation_scroll_parent_class)->finalize(object);
}

static void conversation_scroll_class_init(ConversationScrollClass *class) {
    G_OBJECT_CLASS(class)->get_property = get_property;
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    properties[PROP_AT_END] =
        g_param_spec_boolean("at-end", NULL, NULL, TRUE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
    g_object_class_install_properties(G_OBJECT_CLASS(class), N_PROPS, properties);
    top_signal = g_signal_new("top", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                              NULL, G_TYPE_NONE, 0);
}

static void conversation_scroll_init(ConversationScroll *self) {
    self->at_end = TRUE;
}

ConversationScroll *conversation_scroll_new(GtkScrolledWindow *window, GtkListView *list) {
    ConversationScroll *self = g_object_new(LONGRUN_TYPE_CONVERSATION_SCROLL, NULL);

    self->list = GTK_WIDGET(list);
    self->adjustment = g_object_ref(gtk_scrolled_window_get_vadjustment(window));
    g_signal_connect_swapped(list, "map", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->adjustment, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->adjustment, "value-changed", G_CALLBACK(on_value), self);
    return self;
}
