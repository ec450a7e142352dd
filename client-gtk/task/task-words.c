#include "client-gtk/task/task-words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "client-gtk/base/time-text.h"
#include "common/parse.h"

#define MINUTE (60 * (guint64)G_USEC_PER_SEC)

/* ---- what it is at ---- */

/* The daemon's words are parts of a sentence. */
static char *sentence(const char *words) {
    g_autofree char *first = g_utf8_strup(words, *words ? g_utf8_next_char(words) - words : 0);

    return g_strconcat(first, *words ? g_utf8_next_char(words) : "", NULL);
}

static char *waiting(TaskProps *props, gint64 now) {
    guint64 due = task_props_number(props, "DueAt");
    g_autofree char *when = time_text_moment(due, now);
    g_autofree char *left = NULL;

    if (due <= (guint64)now)
        return sentence(task_props_string(props, "Reason"));
    left = time_text_span(due - (guint64)now);
    if (task_props_is_series(props))
        /* Translators: a time of day, or a date with one; and a span */
        return g_strdup_printf(_("Next run at %s, in %s"), when, left);
    if (g_str_has_prefix(task_props_string(props, "Reason"), "waits for "))
        return g_strdup_printf(_("Not before %s, and %s"), when,
                               task_props_string(props, "Reason"));
    return g_strdup_printf(_("Starts at %s, in %s"), when, left);
}

static char *at_work(TaskProps *props) {
    const char *status = task_props_string(props, "Status");

    return *status ? g_strdup(status) : sentence(task_props_string(props, "Reason"));
}

char *task_words_status(TaskProps *props, gint64 now) {
    TaskState state = task_props_state(props);
    gboolean pending = state == TASK_WAITING || state == TASK_QUEUED;
    g_autofree char *text = pending ? waiting(props, now) : at_work(props);
    g_autofree char *span = NULL;

    if (pending || task_props_number(props, "StartedAt") == 0)
        return g_steal_pointer(&text);
    span = task_props_is_final(props) ? time_text_took(task_props_elapsed(props, now))
                                      : time_text_span(task_props_elapsed(props, now));
    if (!*text)
        return g_strdup_printf(_("Elapsed: %s"), span);
    /* Translators: what a task is at, and for how long it has run */
    return g_strdup_printf(_("%s (Elapsed: %s)"), text, span);
}

char *task_words_end(TaskProps *props) {
    const char *message = task_props_string(props, "Message");

    if (g_str_equal(message, task_props_string(props, "Status")))
        return g_strdup("");
    return sentence(message);
}

/* ---- how far, how fast ---- */

static char *amount(guint64 value, const char *unit) {
    if (g_str_equal(unit, "bytes"))
        return g_format_size(value);
    return g_strdup_printf("%" G_GUINT64_FORMAT, value);
}

char *task_words_percent(TaskProps *props) {
    double progress = task_props_double(props, "Progress");
    guint64 done = task_props_number(props, "Done");

    if (progress >= 0)
        /* 0.29 * 100 is a little less than 29. */
        return g_strdup_printf(_("%d%%"), (int)(progress * 100 + 1e-6));
    return done > 0 ? amount(done, task_props_string(props, "Unit")) : g_strdup("");
}

char *task_words_count(TaskProps *props) {
    const char *unit = task_props_string(props, "Unit");
    guint64 total = task_props_number(props, "Total");
    g_autofree char *part = amount(task_props_number(props, "Done"), unit);
    g_autofree char *whole = amount(total, unit);

    /* Translators: "3 of 8", "1.2 GB of 2.7 GB" */
    return total > 0 ? g_strdup_printf(_("%s of %s"), part, whole) : g_strdup("");
}

char *task_words_rate_of(double rate, const char *unit) {
    g_autofree char *text = NULL;

    if (!(rate > 0) || rate >= 1e18)
        return g_strdup("");
    if (rate >= 10 || g_str_equal(unit, "bytes")) {
        text = amount((guint64)rate, unit);
        /* Translators: so much in a second */
        return g_strdup_printf(_("%s/s"), text);
    }
    if (rate >= 1)
        /* Translators: so many in a second */
        return g_strdup_printf(_("%.1f/s"), rate);
    if (rate * 60 >= 1)
        /* Translators: so many in a minute */
        return g_strdup_printf(_("%.1f/min"), rate * 60);
    /* Translators: so many in an hour */
    return g_strdup_printf(_("%.1f/h"), rate * 3600);
}

char *task_words_rate(TaskProps *props) {
    return task_words_rate_of(task_props_double(props, "Rate"), task_props_string(props, "Unit"));
}

/* No more than can be known. */
static char *rough_span(guint64 usec) {
    if (usec >= 10 * MINUTE && usec < 60 * MINUTE)
        /* Translators: a number of minutes, as short as can be */
        return g_strdup_printf(_("%umin"), (guint)(usec / MINUTE));
    return time_text_span(usec);
}

char *task_words_left(TaskProps *props, gint64 now) {
    guint64 end = task_props_number(props, "ExpectedEndTime");
    g_autofree char *when = time_text_moment(end, now);
    g_autofree char *left = rough_span(end > (guint64)now ? end - (guint64)now : 0);

    if (end == 0)
        return g_strdup("");
    /* Translators: a span, and a time of day: "45s left, until 18:03:20" */
    return g_strdup_printf(_("%s left, until %s"), left, when);
}

/* ---- ends and commands ---- */

char *task_words_exit(int code, int signal) {
    const char *name = sigabbrev_np(signal);

    if (signal > 0 && name)
        return g_strdup_printf(_("Signal %d (SIG%s)"), signal, name);
    if (signal > 0)
        return g_strdup_printf(_("Signal %d"), signal);
    return code >= 0 ? g_strdup_printf(_("Exit code %d"), code) : g_strdup("");
}

static void append_word(GString *line, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=./:,@%^";
    g_autofree char *quoted = NULL;

    if (line->len > 0)
        g_string_append_c(line, ' ');
    if (*word && strspn(word, plain) == strlen(word)) {
        g_string_append(line, word);
        return;
    }
    quoted = g_shell_quote(word);
    g_string_append(line, quoted);
}

char *task_words_command(const char *const *argv) {
    GString *line = g_string_new(NULL);

    for (; argv && *argv; argv++)
        append_word(line, *argv);
    return g_string_free(line, FALSE);
}
