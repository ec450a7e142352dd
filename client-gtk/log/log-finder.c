#include "client-gtk/log/log-finder.h"

struct _LogFinder {
    GObject parent_instance;

    LogReader *reader;
    LogNeedle *needle;
    GCancellable *cancellable; /* of this text */
    char *error;

    /* ---- counting ---- */
    GArray *matches; /* the first LOG_FINDER_MAX */
    guint open;      /* of them, those that come again */
    LogPlace next;
    gboolean counting;
    gboolean grown; /* there is more than what was counted */

    /* ---- going ---- */
    GCancellable *going; /* NULL: nowhere */
    gboolean has_current;
    LogMatch current;
    LogQuery query; /* of the step that is under way */
    LogMatch start; /* where it began */
    gboolean wrapped;
};

G_DEFINE_FINAL_TYPE(LogFinder, log_finder, G_TYPE_OBJECT)

enum {
    CHANGED,
    FOUND,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void set_error(LogFinder *self, const GError *error) {
    g_free(self->error);
    self->error = g_strdup(error->message);
    g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- counting ---- */

static void count_on(LogFinder *self);

static void take_count(LogFinder *self, const LogFound *found) {
    g_array_set_size(self->matches, self->matches->len - self->open);
    g_array_append_vals(self->matches, found->matches->data, found->matches->len);
    self->open = found->open;
    if (self->matches->len > LOG_FINDER_MAX) {
        g_array_set_size(self->matches, LOG_FINDER_MAX);
        self->open = 0;
    }
    self->next = found->next;
    self->counting = FALSE;
    if (!found->at_end || self->grown)
        count_on(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void on_counted(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogFinder) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(LogFound) found = log_search_finish(LONGRUN_LOG_READER(source), result, &error);

    if (g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result))))
        return; /* another text is searched for by now */
    if (found) {
        take_count(self, found);
        return;
    }
    self->counting = FALSE;
    set_error(self, error);
}

static void count_on(LogFinder *self) {
    LogQuery query = {
        .needle = self->needle,
        .place = self->next,
        .limit = G_MAXUINT64,
        .max = LOG_FINDER_MAX - self->matches->len + self->open,
    };

    if (!self->reader || !self->needle || self->counting || query.max == 0)
        return;
    self->counting = TRUE;
    self->grown = FALSE;
    log_search_async(self->reader, &query, self->cancellable, on_counted, g_object_ref(self));
}

void log_finder_grown(LogFinder *self) {
    self->grown = TRUE;
    count_on(self);
}

/* ---- going ---- */

static void go_on(LogFinder *self);

static void end_step(LogFinder *self) {
    g_clear_object(&self->going);
}

static void arrive(LogFinder *self, const LogMatch *match) {
    end_step(self);
    self->has_current = TRUE;
    self->current = *match;
    g_signal_emit(self, signals[FOUND], 0);
    g_signal_emit(self, signals[CHANGED], 0);
}

/* Of a slice forward the first one behind where the step began; backwards it is one alone. */
static const LogMatch *pick(LogFinder *self, const LogFound *found) {
    for (guint i = 0; i < found->matches->len; i++) {
        const LogMatch *match = &g_array_index(found->matches, LogMatch, i);
        if (self->query.backwards || self->wrapped || !self->has_current ||
            log_match_compare(match, &self->start) > 0)
            return match;
    }
    return NULL;
}

/* Around the end; twice would be for nothing. */
static gboolean wrap(LogFinder *self, guint64 size) {
    if (self->wrapped)
        return FALSE;
    self->wrapped = TRUE;
    self->query.place = (LogPlace){.row = self->query.backwards ? size : 0};
    self->query.before = (LogMatch){.row = G_MAXUINT64};
    return TRUE;
}

static void take_step(LogFinder *self, const LogFound *found) {
    const LogMatch *match = pick(self, found);

    if (match) {
        arrive(self, match);
        return;
    }
    self->query.place = found->next;
    if (!found->at_end || wrap(self, found->size)) {
        go_on(self);
        return;
    }
    end_step(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

static void on_step(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogFinder) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autoptr(LogFound) found = log_search_finish(LONGRUN_LOG_READER(source), result, &error);

    if (g_cancellable_is_cancelled(g_task_get_cancellable(G_TASK(result))))
        return;
    if (found) {
        take_step(self, found);
        return;
    }
    end_step(self);
    set_error(self, error);
}

static void go_on(LogFinder *self) {
    log_search_async(self->reader, &self->query, self->going, on_step, g_object_ref(self));
}

/* The row of the current match is looked at again: there may be more in it. */
void log_finder_step(LogFinder *self, gboolean forward, guint64 row) {
    guint64 from = self->has_current ? self->current.row : row;

    if (!self->reader || !self->needle)
        return;
    g_cancellable_cancel(self->going);
    g_clear_object(&self->going);
    self->going = g_cancellable_new();
    self->wrapped = FALSE;
    self->start = self->current;
    self->query = (LogQuery){
        .needle = self->needle,
        .place = {.row = forward ? from : from + self->has_current},
        .limit = G_MAXUINT64,
        .backwards = !forward,
        .max = 256, /* so many in a row are passed over, at the least */
        .before = self->has_current ? self->current : (LogMatch){.row = row},
    };
    go_on(self);
    g_signal_emit(self, signals[CHANGED], 0);
}

/* ---- the text ---- */

static void forget(LogFinder *self) {
    g_cancellable_cancel(self->cancellable);
    g_cancellable_cancel(self->going);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->going);
    g_clear_pointer(&self->needle, log_needle_unref);
    g_clear_pointer(&self->error, g_free);
    g_array_set_size(self->matches, 0);
    self->open = 0;
    self->next = (LogPlace){};
    self->counting = self->grown = self->has_current = FALSE;
}

void log_finder_search(LogFinder *self, const char *text, guint64 row) {
    forget(self);
    self->needle = log_needle_new(text);
    self->cancellable = g_cancellable_new();
    count_on(self);
    log_finder_step(self, TRUE, row);
    g_signal_emit(self, signals[CHANGED], 0);
}

void log_finder_set_reader(LogFinder *self, LogReader *reader) {
    forget(self);
    g_set_object(&self->reader, reader);
    g_signal_emit(self, signals[CHANGED], 0);
}

const LogNeedle *log_finder_get_needle(LogFinder *self) {
    return self->needle;
}

gboolean log_finder_get_current(LogFinder *self, LogMatch *ret) {
    *ret = self->current;
    return self->has_current;
}

static int compare(const void *a, const void *b) {
    return log_match_compare(a, b);
}

static guint number_of_current(LogFinder *self) {
    guint index;

    if (!self->has_current ||
        !g_array_binary_search(self->matches, &self->current, compare, &index))
        return 0;
    return index + 1;
}

LogTally log_finder_get_tally(LogFinder *self) {
    gboolean busy = self->counting || self->going;

    return (LogTally){
        .count = self->matches->len,
        .number = number_of_current(self),
        .busy = busy,
        .nothing = self->needle && !busy && self->matches->len == 0,
        .error = self->error,
    };
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    LogFinder *self = LONGRUN_LOG_FINDER(object);

    forget(self);
    g_clear_object(&self->reader);
    G_OBJECT_CLASS(log_finder_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_array_unref(LONGRUN_LOG_FINDER(object)->matches);
    G_OBJECT_CLASS(log_finder_parent_class)->finalize(object);
}

static void log_finder_class_init(LogFinderClass *class) {
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signals[CHANGED] =
        g_signal_new("changed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    signals[FOUND] =
        g_signal_new("found", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void log_finder_init(LogFinder *self) {
    self->matches = g_array_new(FALSE, FALSE, sizeof(LogMatch));
}

LogFinder *log_finder_new(void) {
    return g_object_new(LONGRUN_TYPE_LOG_FINDER, NULL);
}
