#include <inttypes.h>
#include <unistd.h>

#include "client-cli/commands.h"
#include "client-cli/follow.h"
#include "client-cli/log-attempt.h"
#include "client-cli/log-open.h"
#include "client-cli/log-range.h"
#include "client-cli/output.h"
#include "client-cli/when.h"
#include "common/parse.h"

/* longrun log */

const Option log_options[] = {
    {OPT_FOLLOW, 'f', "follow", NULL, "go on until the task ends"},
    {OPT_LINES, 'n', "lines", "N", "the last N lines; 0 with -f: only what comes"},
    {OPT_SINCE, 0, "since", "TIME", "what came since: 10min, 18:00, yesterday"},
    {OPT_ATTEMPT, 0, "attempt", "N", "what that attempt has printed"},
    {OPT_STDOUT, 0, "stdout", NULL, "what came on stdout alone"},
    {OPT_STDERR, 0, "stderr", NULL, "what came on stderr alone"},
    {OPT_TIMESTAMPS, 't', "timestamps", NULL, "each line with its time and stream"},
    {OPT_COLOR, 0, "color", "WHEN", "let colours through: auto, always or never"},
    {OPT_RAW, 0, "raw", NULL, "every byte as the task has printed it"},
    {OPT_JSON, 'j', "json", NULL, "print JSON, an object a line"},
    OPTIONS_END,
};

/* What was asked for. */
typedef struct LogAsk {
    const Invocation *inv;
    uint64_t since; /* 0 = from the beginning */
    bool has_lines;
    uint64_t lines;
    uint32_t attempt;
    LogView view;
    unsigned streams;
    bool with_index;
} LogAsk;

/* ---- options ---- */

static int check_pairs(const Invocation *inv) {
    static const OptionId pairs[][2] = {
        {OPT_STDOUT, OPT_STDERR},   {OPT_FOLLOW, OPT_ATTEMPT}, {OPT_RAW, OPT_COLOR},
        {OPT_JSON, OPT_TIMESTAMPS}, {OPT_JSON, OPT_RAW},       {OPT_JSON, OPT_COLOR},
    };

    for (size_t i = 0; i < ELEMENTSOF(pairs); i++)
        if (invocation_has(inv, pairs[i][0]) && invocation_has(inv, pairs[i][1]))
            return usage_error(inv->command, "--%s does not go together with --%s",
                               option_name(inv->command, pairs[i][0]),
                               option_name(inv->command, pairs[i][1]));
    return 0;
}

/* A pipe and a file get text alone, a terminal what it can show without harm. */
static EscapeFilterMode without_colours(void) {
    return output_is_terminal()    ? ESCAPE_FILTER_PLAIN
           : isatty(STDOUT_FILENO) ? ESCAPE_FILTER_DUMB
                                   : ESCAPE_FILTER_STRIP;
}

static int choose_escapes(const Invocation *inv, EscapeFilterMode *ret) {
    const char *when = strempty(invocation_value(inv, OPT_COLOR));

    if (invocation_has(inv, OPT_RAW))
        *ret = ESCAPE_FILTER_RAW;
    else if (streq(when, "always"))
        *ret = ESCAPE_FILTER_COLOUR;
    else if (streq(when, "never"))
        *ret = without_colours();
    else if (*when == '\0' || streq(when, "auto"))
        *ret = output_has_colour() ? ESCAPE_FILTER_COLOUR : without_colours();
    else
        return usage_error(inv->command, "--color wants auto, always or never, not \"%s\"", when);
    return 0;
}

static int parse_lines(const Invocation *inv, LogAsk *ask) {
    const char *word = invocation_value(inv, OPT_LINES);

    ask->has_lines = word != NULL;
    if (word && parse_u64(word, &ask->lines) < 0)
        return usage_error(inv->command, "--lines wants a number, not \"%s\"", word);
    return 0;
}

/* Which stream a byte is of is asked for when that makes a difference. */
static void choose_streams(const Invocation *inv, LogAsk *ask) {
    const unsigned own = LOG_STREAM_BIT(LOG_STREAM_LONGRUN),
                   unknown = LOG_STREAM_BIT(LOG_STREAM_UNKNOWN);
    bool out = invocation_has(inv, OPT_STDOUT), err = invocation_has(inv, OPT_STDERR);

    ask->streams = out   ? LOG_STREAM_BIT(LOG_STREAM_STDOUT) | own | unknown
                   : err ? LOG_STREAM_BIT(LOG_STREAM_STDERR) | own | unknown
                         : LOG_STREAMS_ALL;
    ask->view.own_aside = out || err;
    ask->view.marks = !out && !err;
    ask->view.form = invocation_has(inv, OPT_JSON)         ? LOG_FORM_JSON
                     : invocation_has(inv, OPT_TIMESTAMPS) ? LOG_FORM_LINES
                                                           : LOG_FORM_BYTES;
    ask->with_index = out || err || ask->since > 0 || ask->view.form != LOG_FORM_BYTES;
}

static int parse(const Invocation *inv, LogAsk *ask) {
    int r = check_pairs(inv);

    if (r == 0)
        r = choose_escapes(inv, &ask->view.escapes);
    if (r == 0)
        r = parse_lines(inv, ask);
    if (r == 0)
        r = invocation_u32(inv, OPT_ATTEMPT, &ask->attempt);
    if (r == 0 && invocation_has(inv, OPT_SINCE))
        r = when_parse_past(inv->command, "since", invocation_value(inv, OPT_SINCE), &ask->since);
    if (r == 0)
        choose_streams(inv, ask);
    return r;
}

/* ---- what is shown ---- */

static int select_since(const LogAsk *ask, LogSource *s) {
    uint64_t unknown;
    int r = log_range_since(s, ask->since, &unknown);

    if (r >= 0 && unknown > 0)
        print_error("when the first %" PRIu64 " bytes came is not known any more (log-max)",
                    unknown);
    return r;
}

/* What is Longrun's own is no line of a stream. */
static int select_lines(const LogAsk *ask, LogSource *s) {
    if (ask->view.own_aside)
        s->streams &= ~LOG_STREAM_BIT(LOG_STREAM_LONGRUN);
    int r = log_range_last_lines(s, ask->lines);
    s->streams = ask->streams;
    return r;
}

/* Of an attempt what came since, of that the last lines. */
static int select_range(const LogAsk *ask, sd_bus *bus, uint64_t id, LogSource *s) {
    int r = 0;

    if (invocation_has(ask->inv, OPT_ATTEMPT)) {
        r = log_attempt_select(bus, id, ask->attempt, s);
        if (r < 0)
            return r;
    }
    if (ask->since > 0)
        r = select_since(ask, s);
    if (r >= 0 && ask->has_lines)
        r = select_lines(ask, s);
    if (r < 0)
        print_error("cannot read the log: %s", strerror(-r));
    return r;
}

static int show(LogAsk *ask, sd_bus *bus, uint64_t id, LogSource *s) {
    LogView *v = &ask->view;
    TaskEnd end;
    int r;

    log_view_init(v);
    if (invocation_has(ask->inv, OPT_FOLLOW))
        r = follow_log(bus, id, s, v, &end);
    else {
        r = log_view_pump(v, s);
        if (r >= 0)
            r = log_view_end(v);
    }
    if (r >= 0 && v->own_aside && v->unknown > 0)
        print_error("of %" PRIu64 " bytes it is not known any more which stream they are of; they "
                    "are among the others",
                    v->unknown);
    log_view_done(v);
    return r;
}

int cmd_log(const Invocation *inv) {
    _cleanup_free_ uint64_t *ids = invocation_ids(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_(log_source_done) LogSource source = LOG_SOURCE_NONE;
    LogAsk ask = {.inv = inv};
    int r;

    if (!ids)
        return EXIT_USAGE;
    r = parse(inv, &ask);
    if (r == 0)
        r = client_connect(&bus);
    if (r == 0)
        r = log_open(bus, ids[0], ask.with_index, &source);
    if (r != 0)
        return r;
    source.streams = ask.streams;
    r = select_range(&ask, bus, ids[0], &source);
    return r < 0 ? r : show(&ask, bus, ids[0], &source);
}
