#include "client-gtk/tasks/row-words.h"

#include <glib/gi18n.h>
#include <stdio.h>

#include "client-gtk/base/time-text.h"

char *row_words_title(const TaskFacts *f) {
    char number[24];

    if (*f->label)
        return g_strdup(f->label);
    snprintf(number, sizeof(number), "%" G_GUINT64_FORMAT, f->id);
    /* Translators: a task of which nothing but the number is known yet */
    return g_strdup_printf(_("Task %s"), number);
}

/* ---- times ---- */

static char *took(const TaskFacts *f) {
    guint64 usec = f->finished_at > f->started_at ? f->finished_at - f->started_at : 0;

    if (f->started_at == 0)
        return g_strdup("");
    return time_text_took(usec);
}

char *row_words_time(const TaskFacts *f, guint64 now_usec) {
    if (task_state_is_final(f->state))
        return took(f);
    if (f->expected_end > now_usec && f->state == TASK_RUNNING) {
        g_autofree char *left = time_text_span(f->expected_end - now_usec + USEC_PER_SEC - 1);
        /* Translators: %s is a span of time, "2min 5s" */
        return g_strdup_printf(_("%s left"), left);
    }
    if (f->started_at > 0 && f->state != TASK_WAITING && f->state != TASK_QUEUED)
        return time_text_span(now_usec > f->started_at ? now_usec - f->started_at : 0);
    return time_text_moment(f->due_at, now_usec);
}

/* ---- what it is at ---- */

static char *ended(const TaskFacts *f) {
    g_autofree char *at = time_text_moment(f->finished_at, (guint64)g_get_real_time());

    /* Translators: of a task; %s is a time of today, or a date */
    return g_strdup_printf(_("Ended %s"), at);
}

char *row_words_detail(const TaskFacts *f) {
    const char *const texts[] = {f->status, f->phase, f->reason, ""};
    gsize i = 0;

    if (f->plan == TASK_PLAN_CANCEL)
        return g_strdup(_("Will be cancelled"));
    if (f->plan == TASK_PLAN_REMOVE)
        return g_strdup(_("Will be removed"));
    if (f->state == TASK_WAITING && *f->reason)
        return g_strdup(f->reason);
    if (task_state_is_final(f->state) && *f->message)
        return g_strdup(f->message);
    while (!*texts[i] && i < G_N_ELEMENTS(texts) - 1)
        i++;
    if (!*texts[i] && f->finished_at > 0)
        return ended(f);
    return g_strdup(texts[i]);
}
