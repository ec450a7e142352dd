#include "client-gtk/start/kind-form.h"

#include <glib/gi18n.h>

#define DAY 86400.0
#define WEEK (7 * DAY)

static const char *const map_ops[] = {"uppercase", "lowercase", "length", NULL};
static const char *const map_op_titles[] = {N_("To Upper Case"), N_("To Lower Case"),
                                            N_("To Its Length"), NULL};

static const char *const algorithms[] = {"sha256", "sha512", "sha3-256", "blake2b-512",
                                         "sha1",   "md5",    NULL};

static const char *const auths[] = {"", "bearer", "basic", NULL};
static const char *const auth_titles[] = {N_("None"), N_("Token"), N_("User and Password"), NULL};

static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "GET", NULL};
static const char *const cancel_methods[] = {"", "DELETE", "POST", "PUT", "PATCH", "GET", NULL};
static const char *const cancel_method_titles[] = {N_("As Usual"), "DELETE", "POST", "PUT",
                                                   "PATCH",        "GET",    NULL};

#define POINTER_HINT N_("A JSON Pointer into the answers, such as /job/state")
#define WORDS_HINT N_("One word a line")

/* clang-format off */
static const Field command[] = {
    {"argv", N_("Command Line"), NULL, FIELD_COMMAND, .required = true},
};

static const Field countdown[] = {
    {"params.steps", N_("Steps"), NULL, FIELD_NUMBER, .initial = "10", .min = 1, .max = 1000000,
     .signature = 't'},
    {"params.step_ms", N_("Time for Each Step"), N_("Such as 500ms or 2s"), FIELD_MSEC,
     .initial = "1s", .max = DAY},
    {"params.message", N_("Message to the Parent"), N_("Sent at each step"), FIELD_TEXT,
     .advanced = true},
};

static const Field map[] = {
    {"params.items", N_("Items"), N_("One a line"), FIELD_LINES, .required = true},
    {"params.op", N_("Conversion"), NULL, FIELD_CHOICE, .initial = "uppercase", .words = map_ops,
     .word_titles = map_op_titles},
    {"params.item_ms", N_("Time for Each Item"), N_("Such as 50ms or 1s"), FIELD_MSEC,
     .initial = "50ms", .max = DAY},
};

static const Field compute_e[] = {
    {"params.seconds", N_("Seconds"), N_("How long it computes"), FIELD_DECIMAL, .initial = "3",
     .max = DAY},
    {"params.force_error", N_("Force an Error"), N_("It fails at the end"), FIELD_SWITCH},
};

static const Field checksum[] = {
    {"params.paths", N_("Files and Folders"), N_("One a line; files can be dropped here"),
     FIELD_FILES, .required = true},
    {"params.algorithm", N_("Algorithm"), NULL, FIELD_CHOICE, .initial = "sha256",
     .words = algorithms},
};

static const Field download[] = {
    {"params.urls", N_("Address"), N_("More than one: the same file at several places, one a line"),
     FIELD_LINES, .required = true},
    {"params.path", N_("Save To"), N_("A file or a folder; your home folder, if there is nothing here"),
     FIELD_FILE},
    {"params.overwrite", N_("Replace a File That Is There"), NULL, FIELD_SWITCH},
    {"params.sha256", N_("SHA-256"), N_("What the file must have, 64 hexadecimal digits"),
     FIELD_TEXT},
    {"params.size", N_("Size in Bytes"), N_("What the file must have"), FIELD_NUMBER,
     .signature = 't', .advanced = true},
    {"params.headers", N_("Headers"), N_("“Name: value”, one a line; no secrets"), FIELD_HEADERS,
     .advanced = true},
    {"params.auth", N_("Authentication"), NULL, FIELD_CHOICE, .words = auths,
     .word_titles = auth_titles, .advanced = true},
    {"params.credential", N_("File With the Secret"), N_("A token, or user:password"), FIELD_FILE,
     .needs = "params.auth", .required = true, .advanced = true},
    {"params.ca_file", N_("Certificates"), N_("A file of those that are trusted, if not the usual"),
     FIELD_FILE, .advanced = true},
    {"params.give_up_after_ms", N_("Give up After"), N_("So long without anything new; usually 5min"),
     FIELD_MSEC, .max = WEEK, .advanced = true},
    {"params.stall_timeout_ms", N_("Connection Is Dead After"), N_("Usually 30s"), FIELD_MSEC,
     .max = 3600, .advanced = true},
};

static const Field http_operation[] = {
    {"params.backend", N_("Backend"), N_("The server that does the work"), FIELD_BACKEND,
     .required = true},
    {"params.path", N_("Path"), N_("What is asked of it, such as /api/jobs"), FIELD_TEXT,
     .required = true},
    {"params.method", N_("Method"), NULL, FIELD_CHOICE, .initial = "POST", .words = methods},
    {"params.body", N_("Body"), N_("JSON"), FIELD_JSON},
    {"params.headers", N_("Headers"), N_("“Name: value”, one a line; no secrets"), FIELD_HEADERS,
     .advanced = true},
    {"params.idempotency_key", N_("Idempotency Key"), N_("A random one, if there is nothing here"),
     FIELD_TEXT, .advanced = true},
    {"params.start_tries", N_("Tries of the Start"), NULL, FIELD_NUMBER, .initial = "10", .min = 1,
     .max = 1000, .signature = 't', .advanced = true},
    {"params.poll_interval_ms", N_("Time Between Questions"), N_("Such as 2s"), FIELD_MSEC,
     .min = 0.1, .max = DAY, .advanced = true},
    {"params.url_field", N_("Field of Its Address"), POINTER_HINT, FIELD_TEXT, .advanced = true},
    {"params.url_template", N_("Template of Its Address"), N_("Such as /jobs/{/id}"), FIELD_TEXT,
     .advanced = true},
    {"params.state_field", N_("Field of the State"), POINTER_HINT, FIELD_TEXT, .advanced = true},
    {"params.progress_field", N_("Field of the Progress"), POINTER_HINT, FIELD_TEXT,
     .advanced = true},
    {"params.total_field", N_("Field of the Total"), POINTER_HINT, FIELD_TEXT, .advanced = true},
    {"params.message_field", N_("Field of the Message"), POINTER_HINT, FIELD_TEXT,
     .advanced = true},
    {"params.result_field", N_("Field of the Result"), POINTER_HINT, FIELD_TEXT, .advanced = true},
    {"params.error_field", N_("Field of the Error"), POINTER_HINT, FIELD_TEXT, .advanced = true},
    {"params.succeeded_states", N_("States of Success"), WORDS_HINT, FIELD_LINES,
     .advanced = true},
    {"params.failed_states", N_("States of Failure"), WORDS_HINT, FIELD_LINES, .advanced = true},
    {"params.cancelled_states", N_("States of a Cancel"), WORDS_HINT, FIELD_LINES,
     .advanced = true},
    {"params.cancel_method", N_("Method of a Cancel"), NULL, FIELD_CHOICE, .words = cancel_methods,
     .word_titles = cancel_method_titles, .advanced = true},
    {"params.cancel_path", N_("Path of a Cancel"), N_("Such as cancel or /jobs/cancel"), FIELD_TEXT,
     .advanced = true},
    {"params.cancel_body", N_("Body of a Cancel"), N_("JSON"), FIELD_JSON, .advanced = true},
};

static const Field other[] = {
    {"params", N_("Parameters"), N_("A JSON object"), FIELD_JSON},
};

#define FORM(kind, title, summary, fields) {kind, title, summary, fields, G_N_ELEMENTS(fields)}

static const KindForm forms[] = {
    FORM("command", N_("Command"), N_("A program with its arguments"), command),
    FORM("checksum", N_("Checksums"), N_("Of files, and of all files in folders"), checksum),
    FORM("download", N_("Download"), N_("A file by HTTP, which goes on where it was interrupted"),
         download),
    FORM("http-operation", N_("Operation on a Backend"), N_("Long work that a server does"),
         http_operation),
    FORM("countdown", N_("Countdown"), N_("Counts steps that each take a while"), countdown),
    FORM("map", N_("Conversion of a List"), N_("Each item in turn"), map),
    FORM("compute-e", N_("Computation of e"), N_("Keeps a CPU busy for a while"), compute_e),
    {"noop", N_("Nothing"), N_("A task that does nothing, to wait for others"), NULL, 0},
};
/* clang-format on */

static const KindForm unknown = FORM(NULL, NULL, NULL, other);

const KindForm *kind_form_find(const char *kind) {
    for (gsize i = 0; i < G_N_ELEMENTS(forms); i++)
        if (g_str_equal(forms[i].kind, kind))
            return &forms[i];
    return &unknown;
}

const char *kind_form_title(const char *kind) {
    const KindForm *form = kind_form_find(kind);

    return form->title ? _(form->title) : kind;
}

const Field *kind_form_field(const KindForm *form, const char *name) {
    for (gsize i = 0; i < form->n_fields; i++)
        if (g_str_equal(form->fields[i].name, name))
            return &form->fields[i];
    return NULL;
}
