#include "client-gtk/task/task-sheet.h"

#include <glib/gi18n.h>

#include "client-gtk/base/time-text.h"
#include "client-gtk/task/task-words.h"
#include "common/parse.h"

/* How the value of a property is written; NULL or "": there is nothing to say. */
typedef char *(*Format)(TaskProps *props, const char *name, gint64 now);

/* ---- values ---- */

static char *as_text(TaskProps *props, const char *name, gint64 now) {
    return g_strdup(task_props_string(props, name));
}

static char *as_number(TaskProps *props, const char *name, gint64 now) {
    guint64 value = task_props_number(props, name);

    return value > 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, value) : NULL;
}

static char *as_int(TaskProps *props, const char *name, gint64 now) {
    gint value = task_props_int(props, name);

    return value != 0 ? g_strdup_printf("%d", value) : NULL;
}

static char *as_size(TaskProps *props, const char *name, gint64 now) {
    guint64 value = task_props_number(props, name);

    return value > 0 ? g_format_size(value) : NULL;
}

static char *as_span(TaskProps *props, const char *name, gint64 now) {
    guint64 value = task_props_number(props, name);
    char buf[FORMAT_MAX];

    return value > 0 ? g_strdup(format_span(buf, value)) : NULL;
}

static char *as_time(TaskProps *props, const char *name, gint64 now) {
    return time_text_moment(task_props_number(props, name), now);
}

/* Only what is still to come. */
static char *as_due(TaskProps *props, const char *name, gint64 now) {
    guint64 due = task_props_number(props, name);

    return due > (guint64)now ? time_text_moment(due, now) : NULL;
}

static char *as_yes(TaskProps *props, const char *name, gint64 now) {
    return task_props_boolean(props, name) ? g_strdup(_("Yes")) : NULL;
}

static char *as_command(TaskProps *props, const char *name, gint64 now) {
    g_autoptr(GVariant) argv = task_props_array(props, name, "as");
    g_autofree const char **words = argv ? g_variant_get_strv(argv, NULL) : NULL;

    return task_words_command(words);
}

static char *as_params(TaskProps *props, const char *name, gint64 now) {
    const char *params = task_props_string(props, name);

    return g_str_equal(params, "{}") ? NULL : g_strdup(params);
}

static char *as_elapsed(TaskProps *props, const char *name, gint64 now) {
    guint64 elapsed = task_props_elapsed(props, now);

    if (elapsed == 0)
        return NULL;
    return task_props_is_final(props) ? time_text_took(elapsed) : time_text_span(elapsed);
}

static char *as_group(TaskProps *props, const char *name, gint64 now) {
    const char *group = task_props_string(props, name);

    return g_str_equal(group, "default") ? NULL : g_strdup(group);
}

static char *as_umask(TaskProps *props, const char *name, gint64 now) {
    guint32 mask;

    if (!g_variant_dict_lookup(props, name, "u", &mask) || mask == 022)
        return NULL;
    return g_strdup_printf("%04o", mask);
}

/* An exit code stands for itself only where something ran to its end. */
static char *as_exit(TaskProps *props, const char *name, gint64 now) {
    if (!task_props_is_final(props) || task_props_number(props, "StartedAt") == 0)
        return NULL;
    return task_words_exit(task_props_int(props, name), task_props_int(props, "ExitSignal"));
}

static char *as_restart(TaskProps *props, const char *name, gint64 now) {
    return g_str_equal(task_props_string(props, name), "restart") ? g_strdup(_("It starts again"))
                                                                  : NULL;
}

static char *as_missed(TaskProps *props, const char *name, gint64 now) {
    return task_props_boolean(props, name) ? g_strdup(_("It runs once as soon as it can")) : NULL;
}

static char *as_terminal(TaskProps *props, const char *name, gint64 now) {
    return task_props_boolean(props, "Pty") ? g_strdup(task_props_string(props, name)) : NULL;
}

/* The first attempt is no news. */
static char *as_attempt(TaskProps *props, const char *name, gint64 now) {
    guint64 attempt = task_props_number(props, name), retries = task_props_number(props, "Retries");

    if (task_props_is_series(props))
        return NULL;
    if (attempt > 0 && retries > 0)
        /* Translators: "2 of 4": attempts that were made, and that may be */
        return g_strdup_printf(_("%u of %u"), (guint)attempt, (guint)retries + 1);
    return attempt > 1 ? g_strdup_printf("%u", (guint)attempt) : NULL;
}

static char *as_runs(TaskProps *props, const char *name, gint64 now) {
    return task_props_is_series(props) ? as_number(props, name, now) : NULL;
}

static char *as_delay(TaskProps *props, const char *name, gint64 now) {
    return task_props_number(props, "Retries") > 0 ? as_span(props, name, now) : NULL;
}

static char *as_codes(TaskProps *props, const char *name, gint64 now) {
    g_autoptr(GVariant) codes = task_props_array(props, name, "ai");
    g_autoptr(GString) text = g_string_new(NULL);
    gsize n = 0;
    const gint32 *all = codes ? g_variant_get_fixed_array(codes, &n, sizeof(gint32)) : NULL;

    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, "%s%d", i > 0 ? ", " : "", all[i]);
    return g_strdup(text->str);
}

static char *as_tokens(TaskProps *props, const char *name, gint64 now) {
    g_autoptr(GVariant) tokens = task_props_array(props, name, "a{su}");
    g_autoptr(GString) text = g_string_new(NULL);
    GVariantIter iter;
    const char *resource;
    guint32 n;

    if (!tokens)
        return NULL;
    g_variant_iter_init(&iter, tokens);
    while (g_variant_iter_next(&iter, "{&su}", &resource, &n))
        g_string_append_printf(text, "%s%s × %u", text->len > 0 ? ", " : "", resource, n);
    return g_strdup(text->str);
}

static guint64 usage(TaskProps *props, const char *name) {
    g_autoptr(GVariant) all = task_props_array(props, "Usage", "a{sv}");
    guint64 value = 0;

    if (all)
        g_variant_lookup(all, name, "t", &value);
    return value;
}

static char *as_cpu_time(TaskProps *props, const char *name, gint64 now) {
    guint64 usec = usage(props, name);
    char buf[FORMAT_MAX];

    return usec > 0 ? g_strdup(format_span(buf, usec)) : NULL;
}

static char *as_memory(TaskProps *props, const char *name, gint64 now) {
    guint64 bytes = usage(props, name);

    return bytes > 0 ? g_format_size(bytes) : NULL;
}

/* ---- the rows ---- */

/* clang-format off */
static const struct {
    TaskSection section;
    const char *title, *property;
    Format format;
    gboolean is_code;
} rows[] = {
    {TASK_SECTION_TIMES, N_("Created"), "CreatedAt", as_time, FALSE},
    {TASK_SECTION_TIMES, N_("Started"), "StartedAt", as_time, FALSE},
    {TASK_SECTION_TIMES, N_("Finished"), "FinishedAt", as_time, FALSE},
    {TASK_SECTION_TIMES, N_("Duration"), "", as_elapsed, FALSE},
    {TASK_SECTION_TIMES, N_("CPU Time"), "cpu-usec", as_cpu_time, FALSE},
    {TASK_SECTION_TIMES, N_("Most Memory Used"), "memory-peak", as_memory, FALSE},
    {TASK_SECTION_TIMES, N_("Log"), "LogSize", as_size, FALSE},
    {TASK_SECTION_WORK, N_("Kind"), "Kind", as_text, FALSE},
    {TASK_SECTION_WORK, N_("Command"), "Argv", as_command, TRUE},
    {TASK_SECTION_WORK, N_("Parameters"), "Params", as_params, TRUE},
    {TASK_SECTION_WORK, N_("Folder"), "Cwd", as_text, TRUE},
    {TASK_SECTION_WORK, N_("Process"), "Pid", as_number, FALSE},
    {TASK_SECTION_WORK, N_("Ended With"), "ExitCode", as_exit, FALSE},
    {TASK_SECTION_WORK, N_("Standard Input"), "StdinFile", as_text, TRUE},
    {TASK_SECTION_WORK, N_("Terminal"), "PtySize", as_terminal, FALSE},
    {TASK_SECTION_WORK, N_("Empty Environment"), "ClearEnv", as_yes, FALSE},
    {TASK_SECTION_WORK, N_("File Mode Mask"), "Umask", as_umask, TRUE},
    {TASK_SECTION_WORK, N_("In a Process of Its Own"), "Isolate", as_yes, FALSE},
    {TASK_SECTION_WORK, N_("Log File"), "LogFile", as_text, TRUE},
    {TASK_SECTION_PLAN, N_("Group"), "Group", as_group, FALSE},
    {TASK_SECTION_PLAN, N_("Priority"), "Priority", as_int, FALSE},
    {TASK_SECTION_PLAN, N_("Not Before"), "StartAt", as_time, FALSE},
    {TASK_SECTION_PLAN, N_("Every"), "Every", as_span, FALSE},
    {TASK_SECTION_PLAN, N_("Calendar"), "Calendar", as_text, FALSE},
    {TASK_SECTION_PLAN, N_("Next Start"), "DueAt", as_due, FALSE},
    {TASK_SECTION_PLAN, N_("Runs Made"), "Attempt", as_runs, FALSE},
    {TASK_SECTION_PLAN, N_("If a Time Is Missed"), "Persistent", as_missed, FALSE},
    {TASK_SECTION_PLAN, N_("When Online"), "WhenOnline", as_text, FALSE},
    {TASK_SECTION_PLAN, N_("Resources"), "Resources", as_tokens, FALSE},
    {TASK_SECTION_PLAN, N_("Attempt"), "Attempt", as_attempt, FALSE},
    {TASK_SECTION_PLAN, N_("Pause Between Attempts"), "RetryDelay", as_delay, FALSE},
    {TASK_SECTION_PLAN, N_("Retried on Exit Codes"), "RetryOn", as_codes, FALSE},
    {TASK_SECTION_PLAN, N_("If It Is Lost"), "OnInterrupt", as_restart, FALSE},
    {TASK_SECTION_PLAN, N_("Key"), "Unique", as_text, TRUE},
    {TASK_SECTION_LIMITS, N_("Time"), "Timeout", as_span, FALSE},
    {TASK_SECTION_LIMITS, N_("Time Without Output"), "IdleTimeout", as_span, FALSE},
    {TASK_SECTION_LIMITS, N_("Time in the Queue"), "QueueTimeout", as_span, FALSE},
    {TASK_SECTION_LIMITS, N_("Time to Stop"), "StopTimeout", as_span, FALSE},
    {TASK_SECTION_LIMITS, N_("Memory"), "MemoryMax", as_size, FALSE},
    {TASK_SECTION_LIMITS, N_("Processes"), "PidsMax", as_number, FALSE},
    {TASK_SECTION_LIMITS, N_("CPU Weight"), "CpuWeight", as_number, FALSE},
    {TASK_SECTION_LIMITS, N_("Nice Value"), "Nice", as_int, FALSE},
    {TASK_SECTION_LIMITS, N_("Log Kept"), "LogMax", as_size, FALSE},
    {TASK_SECTION_LIMITS, N_("Result"), "ResultMax", as_size, FALSE},
};
/* clang-format on */

static void fact_free(gpointer data) {
    TaskFact *fact = data;

    g_free(fact->value);
    g_free(fact);
}

/* Takes value. */
static char *shorten(char *value) {
    g_autofree char *all = value, *start = NULL;

    if (g_utf8_strlen(all, -1) <= LONGRUN_TASK_FACT_MAX)
        return g_steal_pointer(&all);
    start = g_utf8_substring(all, 0, LONGRUN_TASK_FACT_MAX - 1);
    return g_strconcat(start, "…", NULL);
}

GPtrArray *task_sheet(TaskProps *props, TaskSection section, gint64 now) {
    GPtrArray *facts = g_ptr_array_new_with_free_func(fact_free);

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *value = NULL;
        TaskFact *fact;

        if (rows[i].section != section)
            continue;
        value = rows[i].format(props, rows[i].property, now);
        if (!value || !*value)
            continue;
        fact = g_new0(TaskFact, 1);
        fact->title = _(rows[i].title);
        fact->value = shorten(g_steal_pointer(&value));
        fact->is_code = rows[i].is_code;
        g_ptr_array_add(facts, fact);
    }
    return facts;
}

/* ---- attempts ---- */

static void attempt_free(gpointer data) {
    TaskAttempt *attempt = data;

    g_free(attempt->text);
    g_free(attempt);
}

static char *attempt_text(int code, int signal, guint64 started, guint64 ended, const char *words,
                          gint64 now) {
    g_autofree char *exit = task_words_exit(code, signal), *when = time_text_moment(started, now);
    g_autofree char *span = time_text_took(ended > started ? ended - started : 0);

    if (started == 0)
        return g_strdup(*words ? words : exit);
    /* Translators: how an attempt ended, when it began, and how long it took */
    return g_strdup_printf(_("%s (%s, %s)"), *words ? words : exit, when, span);
}

GPtrArray *task_attempts(TaskProps *props, gint64 now) {
    GPtrArray *attempts = g_ptr_array_new_with_free_func(attempt_free);
    g_autoptr(GVariant) all = task_props_array(props, "Attempts", "a(usiittts)");
    gsize n = all ? g_variant_n_children(all) : 0;

    for (gsize i = n; i > 0 && n - i < LONGRUN_TASK_ATTEMPTS_MAX; i--) {
        TaskAttempt *attempt = g_new0(TaskAttempt, 1);
        guint64 started, ended, offset;
        const char *state, *words;
        int code, signal;

        g_variant_get_child(all, i - 1, "(u&siittt&s)", &attempt->number, &state, &code, &signal,
                            &started, &ended, &offset, &words);
        attempt->state = task_state_from_string(state);
        attempt->text = attempt_text(code, signal, started, ended, words, now);
        g_ptr_array_add(attempts, attempt);
    }
    return attempts;
}
