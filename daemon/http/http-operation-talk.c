#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/text.h"
#include "daemon/http/http-operation-private.h"

/* What an operation says: to the log, the status, the end. */

#define WORDS_MAX ((size_t)1000)

static char *format_clean(const char *format, va_list ap) {
    _cleanup_free_ char *text = NULL;

    if (vasprintf(&text, format, ap) < 0) {
        text = NULL;
        return NULL;
    }
    return text_clean(text, strlen(text), WORDS_MAX);
}

static void to_journal(HttpOperation *o, LogStream stream, const char *text, size_t size) {
    const JournalTask task = {
        .socket = o->journal_socket,
        .id = o->spec.id,
        .label = o->label,
        .identifier = "http-operation",
    };

    if (!o->journal && o->journal_socket && journal_lines_new(&o->journal, &task) < 0)
        o->journal_socket = NULL; /* the manager has warned of it */
    journal_lines_feed(o->journal, stream, text, size);
}

static void log_line(HttpOperation *o, bool error, const char *line) {
    LogStream stream = error ? LOG_STREAM_STDERR : LOG_STREAM_STDOUT;
    _cleanup_free_ char *text = NULL;
    int n = asprintf(&text, "%s\n", line);

    if (n < 0) {
        text = NULL;
        return;
    }
    log_file_append(&o->log, stream, clock_usec(CLOCK_REALTIME), text, (size_t)n);
    to_journal(o, stream, text, (size_t)n);
    o->job.events->log_grew(o->job.userdata, o->log.size);
    text[n - 1] = '\0';
    free(o->line);
    o->line = TAKE_PTR(text);
}

void operation_log(HttpOperation *o, bool error, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *line = format_clean(format, ap);
    va_end(ap);
    if (line)
        log_line(o, error, line);
}

void operation_log_failure(HttpOperation *o, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    char *line = format_clean(format, ap);
    va_end(ap);
    if (line && !streq(line, strempty(o->failure)))
        log_line(o, true, line);
    free(o->failure);
    o->failure = line;
}

void operation_status(HttpOperation *o, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    char *text = format_clean(format, ap);
    va_end(ap);
    if (!text || streq(text, strempty(o->status))) {
        free(text);
        return;
    }
    free(o->status);
    o->status = text;
    o->job.events->status(o->job.userdata, text);
}

/* ---- what an answer says ---- */

/* True: it is another one. */
static bool replace(char **kept, const char *text) {
    char *copy;

    if (streq(strempty(*kept), strempty(text)))
        return false;
    copy = strdup(strempty(text));
    if (!copy)
        return false;
    free(*kept);
    *kept = copy;
    return true;
}

static bool tell_progress(HttpOperation *o, const OperationReading *r) {
    const ProgressNews news = {
        .fraction = r->total > 0 ? PROGRESS_UNKNOWN : r->fraction,
        .done = r->done,
        .total = r->total,
        .source = PROGRESS_SOURCE_NOTIFY,
    };
    bool changed = r->fraction != o->fraction;

    if (r->fraction < 0)
        return false;
    o->fraction = r->fraction;
    o->job.events->progress(o->job.userdata, &news);
    return changed;
}

const char *operation_shown_word(const HttpOperation *o) {
    return isempty(o->word) ? "running" : o->word;
}

static void show(HttpOperation *o) {
    const char *word = operation_shown_word(o);

    if (o->cancel == OPERATION_CANCEL_ASKED)
        operation_status(o, "Asked the server to cancel it: it says \"%s\"", word);
    else if (o->cancel == OPERATION_CANCEL_REFUSED)
        operation_status(o, "The server %s: it says \"%s\"", strempty(o->cancel_said), word);
    else if (!isempty(o->text))
        operation_status(o, "%s: %s", word, o->text);
    else
        operation_status(o, "%s", word);
}

bool operation_tell(HttpOperation *o, const OperationReading *r) {
    bool words = replace(&o->word, r->word);

    words |= replace(&o->text, r->text);
    if (r->phase && replace(&o->phase, r->phase)) {
        words = true;
        o->fraction = -1;
        o->job.events->phase(o->job.userdata, r->phase);
    }
    bool changed = tell_progress(o, r) || words;
    show(o);
    if (words && (!isempty(o->word) || !isempty(o->text)))
        operation_log(o, false, "%s%s%s", operation_shown_word(o), isempty(o->text) ? "" : ": ",
                      strempty(o->text));
    return changed;
}

/* ---- answers that are no good ---- */

static const char *reason_of(unsigned status) {
    static const struct {
        unsigned status;
        const char *text;
    } table[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < ELEMENTSOF(table); i++)
        if (table[i].status == status)
            return table[i].text;
    return NULL;
}

char *operation_describe_answer(const HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *said = operation_error_text(a->root, a->body, &o->p);
    const char *reason = reason_of(a->status);
    char *text;

    if (asprintf(&text, "HTTP %u%s%s%s%s", a->status, reason ? " " : "", strempty(reason),
                 said ? ": " : "", strempty(said)) < 0)
        return NULL;
    return text;
}

/* ---- the end ---- */

/* Unless what the server said has been the same. */
static void log_end(HttpOperation *o, TaskState state, const char *message) {
    const char *name = task_state_to_string(state);
    bool says_more = !isempty(message) && !streq(message, name);
    _cleanup_free_ char *line = NULL;

    if (asprintf(&line, "%s%s%s", name, says_more ? ": " : "", says_more ? message : "") < 0)
        line = NULL;
    if (line && !streq(line, strempty(o->line)))
        log_line(o, state != TASK_SUCCEEDED, line);
}

/* Nothing of it is touched after this: the event may free it. */
void operation_end(HttpOperation *o, TaskState state, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *message = format_clean(format, ap);
    va_end(ap);
    operation_drop_call(o);
    o->step = OPERATION_STEP_ENDED;
    (void)sd_event_source_set_enabled(o->timer, SD_EVENT_OFF);
    o->stop_timer = sd_event_source_disable_unref(o->stop_timer);
    log_end(o, state, strempty(message));
    o->journal = journal_lines_free(o->journal);
    const ExecOutcome outcome = {
        .state = state,
        .exit_code = state == TASK_SUCCEEDED ? 0
                     : state == TASK_FAILED  ? 1
                                             : -1,
        .message = strempty(message),
        .log_dropped = o->log.dropped,
        .log_error = o->log.error,
        .left_no_files = !o->has_result,
    };
    o->job.events->ended(o->job.userdata, &outcome);
}
