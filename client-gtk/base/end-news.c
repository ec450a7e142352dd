#include "client-gtk/base/end-news.h"

#include <glib/gi18n.h>

#include "common/text.h"

struct EndNews {
    guint count, failed;
    guint64 id; /* of the first one */
    char *label;
    TaskState state;
    int exit_code;
};

EndNews *end_news_new(void) {
    return g_new0(EndNews, 1);
}

void end_news_clear(EndNews *n) {
    g_free(n->label);
    *n = (EndNews){};
}

void end_news_free(EndNews *n) {
    end_news_clear(n);
    g_free(n);
}

gboolean end_news_wants(TaskState state, gboolean is_child) {
    switch (state) {
    case TASK_SUCCEEDED:
        return !is_child;
    case TASK_FAILED:
    case TASK_TIMED_OUT:
    case TASK_INTERRUPTED:
        return TRUE;
    default:
        return FALSE;
    }
}

/* One line, of no more than END_NEWS_LABEL_MAX characters. */
static char *shorten(const char *label) {
    g_autofree char *clean = text_clean(label, strlen(label), 8 * END_NEWS_LABEL_MAX);
    g_autofree char *start = NULL;

    if (!clean)
        return g_strdup("");
    g_strdelimit(clean, "\t\r\n", ' ');
    if (g_utf8_strlen(clean, -1) <= END_NEWS_LABEL_MAX)
        return g_steal_pointer(&clean);
    start = g_utf8_substring(clean, 0, END_NEWS_LABEL_MAX - 1);
    return g_strconcat(start, "…", NULL);
}

void end_news_add(EndNews *n, guint64 id, const char *label, TaskState state, int exit_code) {
    n->count++;
    n->failed += state != TASK_SUCCEEDED;
    if (n->count > 1 || !label)
        return;
    n->id = id;
    n->label = shorten(label);
    n->state = state;
    n->exit_code = exit_code;
}

guint end_news_count(const EndNews *n) {
    return n->count;
}

guint64 end_news_task(const EndNews *n) {
    return n->count == 1 ? n->id : 0;
}

/* ---- words ---- */

static const char *format_of(TaskState state) {
    switch (state) {
    case TASK_SUCCEEDED:
        /* Translators: %s is the label of a task, that is, any words at all. */
        return _("“%s” has succeeded");
    case TASK_TIMED_OUT:
        /* Translators: %s is the label of a task, that is, any words at all. */
        return _("“%s” has timed out");
    case TASK_INTERRUPTED:
        /* Translators: %s is the label of a task, that is, any words at all. */
        return _("“%s” was interrupted");
    default:
        /* Translators: %s is the label of a task, that is, any words at all. */
        return _("“%s” has failed");
    }
}

char *end_news_title(const EndNews *n) {
    if (end_news_task(n) == 0)
        return g_strdup_printf(ngettext("%u task has ended", "%u tasks have ended", n->count),
                               n->count);
    return g_strdup_printf(format_of(n->state), n->label);
}

char *end_news_body(const EndNews *n) {
    g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, n->id);

    if (end_news_task(n) > 0 && n->state == TASK_FAILED && n->exit_code > 0)
        /* Translators: %s is the id of a task, a number. */
        return g_strdup_printf(_("Task %s, exit code %d"), id, n->exit_code);
    if (end_news_task(n) > 0)
        /* Translators: %s is the id of a task, a number. */
        return g_strdup_printf(_("Task %s"), id);
    if (n->failed == 0)
        return g_strdup(_("All of them have succeeded"));
    return g_strdup_printf(
        ngettext("%u of them has not succeeded", "%u of them have not succeeded", n->failed),
        n->failed);
}
