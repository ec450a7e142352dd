/* What is said about a task: its status, its progress, its facts, its attempts. */

#include <locale.h>

#include "client-gtk/task/task-sheet.h"
#include "client-gtk/task/task-words.h"
#include "tests/unit/unit.h"

#define SEC ((guint64)G_USEC_PER_SEC)
/* Noon of a day, UTC. */
#define NOON (1767182400 * SEC)

static TaskProps *props_of(const char *text) {
    g_autoptr(GVariant) all = g_variant_ref_sink(g_variant_new_parsed(text));

    return g_variant_dict_new(all);
}

/* Frees text; spaces where GLib has some that do not break. */
static char *plain(char *text) {
    GString *s = g_string_new(text);

    g_free(text);
    g_string_replace(s, "\u00a0", " ", 0);
    g_string_replace(s, "\u202f", " ", 0);
    g_string_replace(s, "\u2007", " ", 0);
    return g_string_free(s, FALSE);
}

/* ---- status ---- */

/* clang-format off */
static const struct {
    const char *props, *status, *end;
} states[] = {
    {"@a{sv} {}", "", ""},
    {"{'State': <'running'>, 'StartedAt': <@t 1767182397000000>, 'Status': <'Processing step 3 of 8'>}",
     "Processing step 3 of 8 (Elapsed: 3s)", ""},
    {"{'State': <'running'>, 'StartedAt': <@t 1767182397000000>}", "Elapsed: 3s", ""},
    {"{'State': <'running'>, 'StartedAt': <@t 1767178675000000>}", "Elapsed: 1h 2min", ""},
    /* The clock was set back. */
    {"{'State': <'running'>, 'StartedAt': <@t 1767182500000000>}", "Elapsed: 0s", ""},
    {"{'State': <'queued'>, 'Reason': <'wants 2 of \"gpu\"'>}", "Wants 2 of \"gpu\"", ""},
    {"{'State': <'queued'>, 'StartedAt': <@t 1767182397000000>, 'Reason': <'attempt 2'>}", "Attempt 2", ""},
    {"{'State': <'waiting'>, 'Reason': <'waits for task 4 to succeed'>}", "Waits for task 4 to succeed", ""},
    {"{'State': <'waiting'>, 'DueAt': <@t 1767182405000000>}", "Starts at 12:00:05, in 5s", ""},
    {"{'State': <'waiting'>, 'DueAt': <@t 1767182395000000>, 'Reason': <'its group is paused'>}",
     "Its group is paused", ""},
    {"{'State': <'waiting'>, 'DueAt': <@t 1767182405000000>, 'Reason': <'waits for task 4 to end'>}",
     "Not before 12:00:05, and waits for task 4 to end", ""},
    {"{'State': <'waiting'>, 'DueAt': <@t 1767186000000000>, 'Every': <@t 3600000000>}",
     "Next run at 13:00:00, in 1h 0min", ""},
    {"{'State': <'waiting'>, 'DueAt': <@t 1767355200000000>, 'Calendar': <'*-*-* 12:00'>}",
     "Next run at Fri Jan  2 12:00:00 2026, in 2d 0h", ""},
    {"{'State': <'failed'>, 'StartedAt': <@t 1767182390000000>, 'FinishedAt': <@t 1767182398500000>,"
     " 'Message': <'exit code 3'>}", "Elapsed: 8s", "Exit code 3"},
    {"{'State': <'succeeded'>, 'StartedAt': <@t 1767182390000000>, 'FinishedAt': <@t 1767182390201000>,"
     " 'Status': <'Task completed!'>, 'Message': <'All work completed successfully!'>}",
     "Task completed! (Elapsed: 201ms)", "All work completed successfully!"},
    {"{'State': <'cancelled'>, 'Status': <'Task cancelled'>, 'Message': <'Task cancelled'>}", "Task cancelled", ""},
    {"{'State': <'skipped'>, 'Message': <'task 4 has failed'>}", "", "Task 4 has failed"},
    {"{'State': <'interrupted'>, 'StartedAt': <@t 1767182390000000>, 'FinishedAt': <@t 1767182395000000>,"
     " 'Message': <'éteint'>}", "Elapsed: 5s", "Éteint"},
};

static const struct {
    const char *props, *percent, *count, *rate, *left;
} paces[] = {
    {"{'Progress': <-1.0>}", "", "", "", ""},
    {"{'Progress': <0.29>}", "29%", "", "", ""},
    {"{'Progress': <0.999>}", "99%", "", "", ""},
    {"{'Progress': <1.0>}", "100%", "", "", ""},
    {"{'Progress': <0.375>, 'Done': <@t 3>, 'Total': <@t 8>, 'Rate': <1.0>, 'ExpectedEndTime': <@t 1767182405000000>}",
     "37%", "3 of 8", "1.0/s", "5s left, until 12:00:05"},
    {"{'Progress': <-1.0>, 'Done': <@t 1200000>, 'Unit': <'bytes'>, 'Rate': <2500000.0>}",
     "1.2 MB", "", "2.5 MB/s", ""},
    {"{'Progress': <0.5>, 'Done': <@t 1000000000>, 'Total': <@t 2000000000>, 'Unit': <'bytes'>, 'Rate': <-1.0>}",
     "50%", "1.0 GB of 2.0 GB", "", ""},
    {"{'Progress': <-1.0>, 'Rate': <0.05>}", "", "", "3.0/min", ""},
    {"{'Progress': <-1.0>, 'Rate': <0.001>}", "", "", "3.6/h", ""},
    {"{'Progress': <-1.0>, 'Rate': <123.4>}", "", "", "123/s", ""},
    {"{'Progress': <-1.0>, 'Rate': <1e300>}", "", "", "", ""},
    {"{'Progress': <0.5>, 'ExpectedEndTime': <@t 1767182000000000>}", "50%", "", "", "0s left, until 11:53:20"},
    {"{'Progress': <0.5>, 'ExpectedEndTime': <@t 1767183630000000>}", "50%", "", "", "20min left, until 12:20:30"},
};

static const struct {
    int code, signal;
    const char *text;
} exits[] = {
    {0, 0, "Exit code 0"}, {3, 0, "Exit code 3"}, {137, 9, "Signal 9 (SIGKILL)"}, {-1, 0, ""},
    {162, 34, "Signal 34"},
};

static const struct {
    const char *argv[4], *text;
} commands[] = {
    {{NULL}, ""},
    {{"make", "-j2", NULL}, "make -j2"},
    {{"sh", "-c", "echo $HOME", NULL}, "sh -c 'echo $HOME'"},
    {{"touch", "", "it's", NULL}, "touch '' 'it'\\''s'"},
};
/* clang-format on */

START_TEST(status) {
    g_autoptr(TaskProps) props = props_of(states[_i].props);
    g_autofree char *text = plain(task_words_status(props, NOON)), *end = task_words_end(props);

    ck_assert_str_eq(text, states[_i].status);
    ck_assert_str_eq(end, states[_i].end);
}
END_TEST

START_TEST(pace) {
    g_autoptr(TaskProps) props = props_of(paces[_i].props);
    g_autofree char *percent = plain(task_words_percent(props));
    g_autofree char *count = plain(task_words_count(props));
    g_autofree char *rate = plain(task_words_rate(props)), *left = task_words_left(props, NOON);

    ck_assert_str_eq(percent, paces[_i].percent);
    ck_assert_str_eq(count, paces[_i].count);
    ck_assert_str_eq(rate, paces[_i].rate);
    ck_assert_str_eq(left, paces[_i].left);
}
END_TEST

START_TEST(ends) {
    g_autofree char *text = task_words_exit(exits[_i].code, exits[_i].signal);

    ck_assert_str_eq(text, exits[_i].text);
}
END_TEST

START_TEST(command_lines) {
    g_autofree char *text = task_words_command(commands[_i].argv);

    ck_assert_str_eq(text, commands[_i].text);
}
END_TEST

/* ---- facts ---- */

/* "Title=value; …" */
static char *sheet(const char *text, TaskSection section) {
    g_autoptr(TaskProps) props = props_of(text);
    g_autoptr(GPtrArray) facts = task_sheet(props, section, NOON);
    g_autoptr(GString) all = g_string_new(NULL);

    for (guint i = 0; i < facts->len; i++) {
        const TaskFact *fact = facts->pdata[i];

        g_string_append_printf(all, "%s%s=%s", i > 0 ? "; " : "", fact->title, fact->value);
    }
    return g_strdup(all->str);
}

/* clang-format off */
static const struct {
    TaskSection section;
    const char *props, *rows;
} sheets[] = {
    {TASK_SECTION_TIMES, "@a{sv} {}", ""},
    {TASK_SECTION_WORK, "@a{sv} {}", ""},
    {TASK_SECTION_PLAN, "@a{sv} {}", ""},
    {TASK_SECTION_LIMITS, "@a{sv} {}", ""},
    {TASK_SECTION_TIMES,
     "{'State': <'succeeded'>, 'CreatedAt': <@t 1767182380000000>, 'StartedAt': <@t 1767182390000000>,"
     " 'FinishedAt': <@t 1767182398000000>, 'LogSize': <@t 2000>,"
     " 'Usage': <{'cpu-usec': <@t 1500000>, 'memory-peak': <@t 3400000>}>}",
     "Created=11:59:40; Started=11:59:50; Finished=11:59:58; Duration=8s; CPU Time=1.5s; Most Memory Used=3.4 MB; Log=2.0 kB"},
    {TASK_SECTION_WORK,
     "{'State': <'failed'>, 'Kind': <'command'>, 'Argv': <['sh', '-c', 'exit 3']>, 'Cwd': <'/tmp'>, 'Umask': <@u 18>,"
     " 'StartedAt': <@t 1>, 'ExitCode': <3>, 'Params': <'{}'>}",
     "Kind=command; Command=sh -c 'exit 3'; Folder=/tmp; Ended With=Exit code 3"},
    /* One that never began has no exit code. */
    {TASK_SECTION_WORK, "{'State': <'skipped'>, 'Umask': <@u 63>, 'ExitCode': <0>, 'Pty': <true>, 'PtySize': <'80x24'>}",
     "Terminal=80x24; File Mode Mask=0077"},
    {TASK_SECTION_PLAN, "{'Group': <'default'>, 'Every': <@t 60000000>, 'Attempt': <@u 3>, 'RetryDelay': <@t 1000000>}",
     "Every=1min 0s; Runs Made=3"},
    {TASK_SECTION_PLAN, "{'Group': <'io'>, 'Priority': <-5>, 'Attempt': <@u 2>, 'Retries': <@u 3>,"
     " 'RetryDelay': <@t 1000000>, 'RetryOn': <[1, 75]>, 'OnInterrupt': <'restart'>, 'Resources': <{'gpu': @u 2}>,"
     " 'WhenOnline': <'server'>}",
     "Group=io; Priority=-5; When Online=server; Resources=gpu × 2; Attempt=2 of 4; Pause Between Attempts=1.0s; "
     "Retried on Exit Codes=1, 75; If It Is Lost=It starts again"},
    {TASK_SECTION_LIMITS, "{'Timeout': <@t 3600000000>, 'MemoryMax': <@t 512000000>, 'Nice': <-5>, 'PidsMax': <@t 7>}",
     "Time=1h 0min; Memory=512.0 MB; Processes=7; Nice Value=-5"},
};
/* clang-format on */

START_TEST(sheet_of_facts) {
    g_autofree char *text = plain(sheet(sheets[_i].props, sheets[_i].section));

    ck_assert_str_eq(text, sheets[_i].rows);
}
END_TEST

/* ---- attempts ---- */

START_TEST(attempts_newest_first) {
    g_autoptr(TaskProps) props = props_of(
        "{'Attempts': <[(@u 1, 'failed', 3, 0, @t 1767182300000000, @t 1767182302000000, @t 0,"
        " 'exit code 3'), (2, 'timed-out', -1, 15, 1767182310000000, 1767182370000000, 20, '')]>}");
    g_autoptr(GPtrArray) attempts = task_attempts(props, NOON);
    const TaskAttempt *newest, *oldest;

    ck_assert_uint_eq(attempts->len, 2);
    newest = attempts->pdata[0];
    oldest = attempts->pdata[1];
    ck_assert_uint_eq(newest->number, 2);
    ck_assert_int_eq(newest->state, TASK_TIMED_OUT);
    ck_assert_str_eq(newest->text, "Signal 15 (SIGTERM) (11:58:30, 1min 0s)");
    ck_assert_str_eq(oldest->text, "exit code 3 (11:58:20, 2s)");
}
END_TEST

START_TEST(attempts_have_a_cap) {
    g_autoptr(TaskProps) props = g_variant_dict_new(NULL);
    g_autoptr(GPtrArray) attempts = NULL;
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a(usiittts)"));
    for (guint32 i = 1; i <= 1000; i++)
        g_variant_builder_add(&b, "(usiittts)", i, "failed", 1, 0, SEC, SEC, 0, "");
    g_variant_dict_insert_value(props, "Attempts", g_variant_builder_end(&b));
    attempts = task_attempts(props, NOON);
    ck_assert_uint_eq(attempts->len, LONGRUN_TASK_ATTEMPTS_MAX);
    ck_assert_uint_eq(((TaskAttempt *)attempts->pdata[0])->number, 1000);
}
END_TEST

/* What is of another type than it should be is as missing. */
START_TEST(wrong_types_are_nothing) {
    g_autoptr(TaskProps) props =
        props_of("{'State': <5>, 'Label': <@t 1>, 'Done': <'x'>, 'Progress': <'y'>,"
                 " 'Attempts': <'z'>, 'Argv': <7>, 'Usage': <'u'>, 'HasResult': <'yes'>}");
    g_autoptr(GPtrArray) attempts = task_attempts(props, NOON);

    ck_assert_int_lt(task_props_state(props), 0);
    ck_assert_str_eq(task_props_string(props, "Label"), "");
    ck_assert_uint_eq(task_props_number(props, "Done"), 0);
    ck_assert(!task_props_boolean(props, "HasResult"));
    ck_assert_uint_eq(attempts->len, 0);
    for (TaskSection i = 0; i < _TASK_SECTION_MAX; i++) {
        g_autoptr(GPtrArray) none = task_sheet(props, i, NOON);

        ck_assert_uint_eq(none->len, 0);
    }
}
END_TEST

START_TEST(long_values_are_cut) {
    g_autofree char *word = g_strnfill(100 * LONGRUN_TASK_FACT_MAX, 'x');
    g_autofree char *text = g_strdup_printf("{'Argv': <['echo', '%s']>}", word);
    g_autoptr(TaskProps) props = props_of(text);
    g_autoptr(GPtrArray) facts = task_sheet(props, TASK_SECTION_WORK, NOON);
    const TaskFact *fact = facts->pdata[0];

    ck_assert_int_eq(g_utf8_strlen(fact->value, -1), LONGRUN_TASK_FACT_MAX);
    ck_assert(g_str_has_prefix(fact->value, "echo xxx"));
    ck_assert(g_str_has_suffix(fact->value, "xxx…"));
}
END_TEST

int main(void) {
    Suite *suite = suite_create("task-words");
    TCase *t = tcase_create("task-words");

    g_setenv("TZ", "UTC", TRUE);
    tcase_add_loop_test(t, status, 0, (int)ELEMENTSOF(states));
    tcase_add_loop_test(t, pace, 0, (int)ELEMENTSOF(paces));
    tcase_add_loop_test(t, ends, 0, (int)ELEMENTSOF(exits));
    tcase_add_loop_test(t, command_lines, 0, (int)ELEMENTSOF(commands));
    tcase_add_loop_test(t, sheet_of_facts, 0, (int)ELEMENTSOF(sheets));
    tcase_add_test(t, attempts_newest_first);
    tcase_add_test(t, attempts_have_a_cap);
    tcase_add_test(t, wrong_types_are_nothing);
    tcase_add_test(t, long_values_are_cut);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
