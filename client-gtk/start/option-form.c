#include "client-gtk/start/option-form.h"

#include <glib/gi18n.h>

#define DAY 86400.0
#define TEN_YEARS (3650 * DAY)
#define WEEK (7 * DAY)

static const char *const schedules[] = {"now", "at", "every", "calendar", NULL};
static const char *const schedule_titles[] = {N_("As Soon as Possible"), N_("At a Time"),
                                              N_("Again and Again"), N_("By a Calendar"), NULL};

static const char *const inputs[] = {"none", "text", "file", "open", NULL};
static const char *const input_titles[] = {N_("Nothing"), N_("A Text"), N_("A File"),
                                           N_("What Is Sent While It Runs"), NULL};

static const char *const interrupts[] = {"", "fail", "restart", NULL};
static const char *const interrupt_titles[] = {N_("As Usual"), N_("It Has Failed"),
                                               N_("It Begins Again"), NULL};

#define SPAN_HINT N_("Such as 30s, 5min or 1h 30min")
#define IDS_HINT N_("Numbers of tasks, such as 12, 15")

/* clang-format off */
static const Field always[] = {
    {"label", N_("Label"), N_("What the task is called in lists"), FIELD_TEXT},
    {"cwd", N_("Working Folder"), N_("Your home folder, if there is nothing here"), FIELD_FOLDER,
     FIELD_FOR_PROCESSES},
    {"notify", N_("Notification"), N_("When it ends and nobody looks"), FIELD_SWITCH,
     .initial = "yes"},
    {"isolate", N_("Process of Its Own"), N_("A crash there is that of one task alone"),
     FIELD_SWITCH, FIELD_FOR_KINDS},
};

static const Field schedule[] = {
    {"schedule", N_("Start"), NULL, FIELD_CHOICE, .initial = "now", .words = schedules,
     .word_titles = schedule_titles, .is_choice = true},
    {"start-at", N_("Start Time"), N_("Such as 18:00, tomorrow 9:00, 2026-12-24 18:00 or +2h"),
     FIELD_TIME, .needs = "schedule", .needs_value = "at", .required = true},
    {"every", N_("Pause Between Runs"), SPAN_HINT, FIELD_SPAN, .needs = "schedule",
     .needs_value = "every", .min = 0.1, .max = TEN_YEARS, .required = true},
    {"calendar", N_("Calendar Event"), N_("Such as hourly, Mon..Fri 09:00 or *-*-01 06:00"),
     FIELD_TEXT, .needs = "schedule", .needs_value = "calendar", .required = true},
    {"persistent", N_("Make up for Missed Runs"), N_("One run for those while Longrun was off"),
     FIELD_SWITCH, .needs = "schedule", .needs_value = "calendar"},
};

static const Field queue[] = {
    {"group", N_("Group"), N_("The queue in which it waits"), FIELD_GROUP, .initial = "default"},
    {"priority", N_("Priority"), N_("The higher one goes first"), FIELD_NUMBER, .min = -1000000,
     .max = 1000000, .signature = 'i'},
    {"resources", N_("Resources"), N_("Tokens that it holds while it runs, such as gpu, net=2"),
     FIELD_TOKENS},
    {"unique", N_("Unique Key"), N_("While a task with this key is active, it is not started again"),
     FIELD_TEXT},
};

static const Field dependencies[] = {
    {"after", N_("After the Success Of"), IDS_HINT, FIELD_IDS},
    {"after-any", N_("After the End Of"), IDS_HINT, FIELD_IDS},
    {"after-failed", N_("After the Failure Of"), IDS_HINT, FIELD_IDS},
    {"when-online", N_("When a Backend Is Online"), NULL, FIELD_BACKEND},
    {"parent", N_("Part Of"), N_("The number of a task, which does not end before this one"),
     FIELD_ID},
};

static const Field environment[] = {
    {"env", N_("Variables"), N_("NAME=VALUE, one a line"), FIELD_ENV, FIELD_FOR_PROCESSES},
    {"clear-env", N_("Nothing but These Variables"), N_("Instead of those of your session as well"),
     FIELD_SWITCH, FIELD_FOR_PROCESSES},
    {"umask", N_("File Mode Mask"), N_("Octal, such as 022 or 077"), FIELD_OCTAL,
     FIELD_FOR_PROCESSES},
};

static const Field terminal[] = {
    {"input", N_("Input"), NULL, FIELD_CHOICE, FIELD_FOR_COMMANDS, .initial = "none",
     .words = inputs, .word_titles = input_titles, .is_choice = true},
    {"stdin", N_("Input Text"), NULL, FIELD_MESSAGE, FIELD_FOR_COMMANDS, .needs = "input",
     .needs_value = "text"},
    {"stdin-file", N_("Input File"), N_("It is opened at each start"), FIELD_FILE,
     FIELD_FOR_COMMANDS, .needs = "input", .needs_value = "file", .required = true},
    {"pty", N_("Terminal"), N_("For programs that show progress and colors on one alone"),
     FIELD_SWITCH, FIELD_FOR_COMMANDS},
    {"pty-size", N_("Size of the Terminal"), N_("Columns and rows, such as 80x24"), FIELD_TEXT,
     FIELD_FOR_COMMANDS, .needs = "pty"},
};

static const Field limits[] = {
    {"timeout", N_("Time"), SPAN_HINT, FIELD_SPAN, .max = TEN_YEARS},
    {"idle-timeout", N_("Time Without Output or Progress"), SPAN_HINT, FIELD_SPAN, .max = TEN_YEARS},
    {"queue-timeout", N_("Time in the Queue"), SPAN_HINT, FIELD_SPAN, .max = TEN_YEARS},
    {"stop-timeout", N_("Time to Stop In"), N_("Until it is killed after a cancel; usually 10s"),
     FIELD_SPAN, .max = WEEK},
    {"memory-max", N_("Memory"), N_("Such as 512M or 2G"), FIELD_SIZE, FIELD_FOR_PROCESSES},
    {"pids-max", N_("Processes"), N_("And threads, at a time"), FIELD_NUMBER, FIELD_FOR_PROCESSES,
     .max = 4194304, .signature = 't'},
    {"cpu-weight", N_("Share of the CPU"), N_("From 1 to 10000; other tasks have 100"),
     FIELD_NUMBER, FIELD_FOR_PROCESSES, .min = 1, .max = 10000, .signature = 'u'},
    {"nice", N_("Niceness"), N_("From -20 to 19; a higher one lets others go first"), FIELD_NUMBER,
     FIELD_FOR_PROCESSES, .min = -20, .max = 19, .signature = 'i'},
    {"log-max", N_("Log"), N_("Its beginning and its end are kept; usually 1G"), FIELD_SIZE},
    {"result-max", N_("Result"), N_("Usually 1M"), FIELD_SIZE},
};

static const Field retries[] = {
    {"retries", N_("Further Attempts"), N_("When it has failed or timed out"), FIELD_NUMBER,
     .max = 1000, .signature = 'u'},
    {"retry-delay", N_("Pause Before the Next"), N_("Doubled after each; usually 1s"), FIELD_SPAN,
     .needs = "retries", .max = WEEK},
    {"retry-on", N_("Only After Exit Codes"), N_("Such as 1, 75; otherwise after any failure"),
     FIELD_CODES, .needs = "retries"},
    {"on-interrupt", N_("When It Is Lost"), N_("With a restart of the computer, for example"),
     FIELD_CHOICE, .words = interrupts, .word_titles = interrupt_titles},
};

#define SECTION(title, icon, fields) {title, icon, fields, G_N_ELEMENTS(fields)}

const OptionSection option_sections[] = {
    SECTION(NULL, NULL, always),
    SECTION(N_("Schedule"), "alarm-symbolic", schedule),
    SECTION(N_("Queue"), "view-list-symbolic", queue),
    SECTION(N_("Dependencies"), "insert-link-symbolic", dependencies),
    SECTION(N_("Environment"), "preferences-other-symbolic", environment),
    SECTION(N_("Input and Terminal"), "utilities-terminal-symbolic", terminal),
    SECTION(N_("Limits"), "power-profile-balanced-symbolic", limits),
    SECTION(N_("Retries"), "view-refresh-symbolic", retries),
};
/* clang-format on */

const gsize n_option_sections = G_N_ELEMENTS(option_sections);

const Field *option_form_find(const char *name) {
    for (gsize i = 0; i < n_option_sections; i++)
        for (gsize k = 0; k < option_sections[i].n_fields; k++)
            if (g_str_equal(option_sections[i].fields[k].name, name))
                return &option_sections[i].fields[k];
    return NULL;
}
